/**
 * The notation in which kinds are written. A field description carries three things at once: the TypeScript type (by
 * inference), the structural OpenAPI schema, and the rules. Descriptions are immutable: every method returns a new one.
 *
 *     const Bmc = object({ endpoint: string().required().doc("…"), port: int32().min(0).doc("…") });
 *     type Bmc = TypeOf<typeof Bmc>;             // { endpoint: string; port?: number }
 *     Bmc.schema                                  // { type: "object", properties: …, required: ["endpoint"] }
 *
 * Fields are optional unless `.required()`. A default does not make a field required in the type: it is there when a server
 * has answered, and need not be when a client asks.
 */
import type { Json } from "#std/json.ts";
import type { FieldError, FieldPath } from "./field.ts";
import type { Schema, ValidationRule } from "./structural.ts";

/** One rule, written once: as CEL for a server that is not ours, and as code for the one that is. Both must say the same. */
export interface Rule<T> {
  /** Over `self` (this field's value) and, in transition rules, `oldSelf`. */
  readonly cel: string;
  /** What holds, as a sentence: `user and userFrom cannot be used together`. */
  readonly message: string;
  /** Where to point below this field, as CEL's fieldPath: `.userFrom`. */
  readonly path?: string;
  readonly reason?: "FieldValueForbidden" | "FieldValueRequired";
  /** True when the rule holds. */
  check(self: T, old: T | undefined): boolean;
}

/**
 * A rule that CEL cannot say (or not cheaply): code only. `path` is where the value stands. Taken from a method so that it is
 * bivariant, as methods are: a Field<string> is a Field.
 */
export type Check<T> = { check(value: T, path: FieldPath): FieldError[] }["check"];

interface Mandatory {
  readonly isRequired: true;
}
interface Nullable {
  readonly isNullable: true;
}

/** Named fields of an object. */
export type Fields = Readonly<Record<string, Field>>;

/** The TypeScript type a field describes. */
export type TypeOf<F> = F extends Field<infer T> ? (F extends Nullable ? T | null : T) : never;

type Flat<T> = { [K in keyof T]: T[K] };

/** The object type of named fields: required ones mandatory, the others optional. */
export type Shape<F> = Flat<
  { -readonly [K in keyof F as F[K] extends Mandatory ? K : never]: TypeOf<F[K]> } & {
    -readonly [K in keyof F as F[K] extends Mandatory ? never : K]?: TypeOf<F[K]>;
  }
>;

/** A described field; its subclasses add what only their type has. */
export class Field<T = unknown> {
  /** Never set: carries the type. */
  declare readonly $type: T;
  readonly schema: Schema;
  readonly isRequired: boolean = false;
  readonly isNullable: boolean = false;
  readonly rules: readonly Rule<T>[] = [];
  readonly checks: readonly Check<T>[] = [];

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /** A copy with changes; the one way a description evolves. */
  protected with(
    schema: Schema,
    marks: { isRequired?: true; isNullable?: true; rules?: readonly Rule<T>[]; checks?: readonly Check<T>[] } = {},
  ): this {
    const copy = Object.create(Object.getPrototypeOf(this) as object) as this;
    return Object.assign(copy, this, marks, { schema: { ...this.schema, ...schema } });
  }

  /** The text of `kubectl explain`; Markdown is not rendered. */
  doc(text: string): this {
    return this.with({ description: text });
  }
  required(): this & Mandatory {
    return this.with({}, { isRequired: true }) as this & Mandatory;
  }
  /** An explicit null is a value of its own, kept as such. */
  nullable(): this & Nullable {
    return this.with({ nullable: true }, { isNullable: true }) as this & Nullable;
  }
  default(value: T): this {
    return this.with({ default: value as Json });
  }
  /** Adds a rule to this field's value, in the schema and in code. */
  rule(rule: Rule<T>): this {
    const validation: ValidationRule = {
      rule: rule.cel,
      message: rule.message,
      ...(rule.reason === undefined ? {} : { reason: rule.reason }),
      ...(rule.path === undefined ? {} : { fieldPath: rule.path }),
    };
    const validations = [...(this.schema["x-kubernetes-validations"] ?? []), validation];
    return this.with({ "x-kubernetes-validations": validations }, { rules: [...this.rules, rule] });
  }
  /** Adds a check that only code can make. */
  check(check: Check<T>): this {
    return this.with({}, { checks: [...this.checks, check] });
  }
}

export class StringField extends Field<string> {
  /** RE2, as Kubernetes compiles it; unanchored unless it says so. */
  pattern(pattern: string): this {
    return this.with({ pattern });
  }
  /** Characters. */
  min(length: number): this {
    return this.with({ minLength: length });
  }
  /** Characters. */
  max(length: number): this {
    return this.with({ maxLength: length });
  }
  format(format: string): this {
    return this.with({ format });
  }
}

export class NumberField extends Field<number> {
  min(value: number): this {
    return this.with({ minimum: value });
  }
  max(value: number): this {
    return this.with({ maximum: value });
  }
}

export class ArrayField<I extends Field = Field> extends Field<TypeOf<I>[]> {
  readonly item: I;
  constructor(item: I) {
    super({ type: "array", items: item.schema });
    this.item = item;
  }
  min(items: number): this {
    return this.with({ minItems: items });
  }
  max(items: number): this {
    return this.with({ maxItems: items });
  }
  /** Items are identified by these of their fields: patches and apply merge item by item. */
  listMap(...keys: (keyof TypeOf<I> & string)[]): this {
    return this.with({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys });
  }
  /** Items are unique scalars without order. */
  set(): this {
    return this.with({ "x-kubernetes-list-type": "set" });
  }
  /** Replaced as a whole; also what a list is when nothing is said. */
  atomic(): this {
    return this.with({ "x-kubernetes-list-type": "atomic" });
  }
}

export class MapField<V extends Field = Field> extends Field<Record<string, TypeOf<V>>> {
  readonly value: V;
  constructor(value: V) {
    super({ type: "object", additionalProperties: value.schema });
    this.value = value;
  }
  min(entries: number): this {
    return this.with({ minProperties: entries });
  }
  max(entries: number): this {
    return this.with({ maxProperties: entries });
  }
  atomic(): this {
    return this.with({ "x-kubernetes-map-type": "atomic" });
  }
}

export class ObjectField<F extends Fields = Fields> extends Field<Shape<F>> {
  readonly fields: F;
  constructor(fields: F) {
    const names = Object.keys(fields);
    const required = names.filter((name) => fields[name]!.isRequired);
    super({
      type: "object",
      ...(names.length === 0 ? {} : { properties: Object.fromEntries(names.map((name) => [name, fields[name]!.schema])) }),
      ...(required.length === 0 ? {} : { required }),
    });
    this.fields = fields;
  }
  /** At least so many fields are set. */
  min(fields: number): this {
    return this.with({ minProperties: fields });
  }
  /** Replaced as a whole by apply, like a reference. */
  atomic(): this {
    return this.with({ "x-kubernetes-map-type": "atomic" });
  }
}

export function string(): StringField {
  return new StringField({ type: "string" });
}
/** An RFC 3339 time. */
export function dateTime(): StringField {
  return string().format("date-time");
}
export function enumeration<const V extends readonly string[]>(...values: V): Field<V[number]> {
  return new Field<V[number]>({ type: "string", enum: [...values] });
}
export function boolean(): Field<boolean> {
  return new Field<boolean>({ type: "boolean" });
}
export function number(): NumberField {
  return new NumberField({ type: "number" });
}
export function integer(): NumberField {
  return new NumberField({ type: "integer" });
}
export function int32(): NumberField {
  return new NumberField({ type: "integer", format: "int32" });
}
/** Exact only up to 2^53 in JavaScript. */
export function int64(): NumberField {
  return new NumberField({ type: "integer", format: "int64" });
}
export function intOrString(): Field<number | string> {
  return new Field<number | string>({ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] });
}
/** Any JSON value, kept as it is. */
export function json(): Field<Json> {
  return new Field<Json>({ "x-kubernetes-preserve-unknown-fields": true });
}
export function array<I extends Field>(item: I): ArrayField<I> {
  return new ArrayField(item);
}
/** An object with free keys and values of one kind. */
export function map<V extends Field>(value: V): MapField<V> {
  return new MapField(value);
}
export function object<F extends Fields>(fields: F): ObjectField<F> {
  return new ObjectField(fields);
}
