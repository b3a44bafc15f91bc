/**
 * Judges an object by its schema as a genuine API server does: the rules of k8s.io/kube-openapi/pkg/validation with their messages,
 * embedded resources and list types (apiextensions-apiserver), and ratcheting: what was wrong before and has not changed may stay.
 */
import type { Json, JsonObject } from "#std/json.ts";
import { equal, isObject, own } from "#std/json.ts";
import { validateEmbedded } from "./embedded.ts";
import type { FieldError } from "./field.ts";
import { FieldPath, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from "./field.ts";
import { itemKey, validateLists } from "./list-type.ts";
import type { SchemaNode } from "./node.ts";
import { Below, compileSchema, fitsLength } from "./node.ts";
import { printPath } from "./prune.ts";
import { printFloat, printJson, quote } from "./quote.ts";
import type { Schema } from "./structural.ts";

/** What is found beyond it is not told. */
const ERROR_LIMIT = 200;

export interface ValidateOptions {
  /** The stored object that `object` is to replace. */
  readonly old?: JsonObject | undefined;
  /** Judge this field alone (`status`); messages then name fields below it, as a genuine server's do for a subresource. */
  readonly part?: string | undefined;
  /** Where errors say the part stands, when not at its own name. */
  readonly at?: FieldPath;
}

/**
 * What is wrong with an object, [] when nothing is; at most some hundred errors. Metadata of the root and CEL rules are judged
 * elsewhere. The object must have been pruned and defaulted.
 */
export function validate(object: JsonObject, schema: Schema, options: ValidateOptions = {}): FieldError[] {
  const { old, part } = options;
  const node = compileSchema(schema);
  const errors = part === undefined ? judge(object, old, node, FieldPath.root) : judgePart(object, part, node, options);
  if ((node.below & Below.embedded) !== 0) errors.push(...validateEmbedded(object, node));
  if ((node.below & Below.lists) !== 0 && (old === undefined || validateLists(old, node).length === 0)) {
    errors.push(...validateLists(object, node));
  }
  return errors;
}

function judgePart(object: JsonObject, part: string, node: SchemaNode, { old, at }: ValidateOptions): FieldError[] {
  const value = own(object, part);
  const child = node.properties.get(part);
  if (value === undefined || child === undefined) return [];
  return judge(value, old && own(old, part), child, at ?? FieldPath.of(part));
}

function judge(value: Json, old: Json | undefined, node: SchemaNode, base: FieldPath): FieldError[] {
  const judgement = new Judgement(base);
  judgement.ratcheted(value, old, node);
  return judgement.errors();
}

type ValueKind = "null" | "boolean" | "string" | "integer" | "number" | "array" | "object";

/** Go reads an integer as int64 and everything else as float64. */
function kindOf(value: Json): ValueKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? "integer" : "number";
  return typeof value as "boolean" | "string" | "object";
}

/** Errors by kube-openapi's own message, by which it drops repetitions. */
type Findings = Map<string, FieldError>;

/**
 * One walk. Every method returns kube-openapi's match count: how much of a schema an object satisfied decides which
 * alternative's errors are shown.
 */
class Judgement {
  readonly #base: FieldPath;
  readonly #path: (string | number)[] = [];
  #findings: Findings = new Map();

  constructor(base: FieldPath) {
    this.#base = base;
  }

  errors(): FieldError[] {
    return [...this.#findings.values()];
  }

  /** Drops what is found in a value that has not changed. apiVersion and kind of the root are always judged. */
  ratcheted(value: Json, old: Json | undefined, node: SchemaNode): number {
    if (old === undefined) return this.#value(value, undefined, node);
    const before = this.#findings.size;
    const count = this.#value(value, old, node);
    if (this.#findings.size > before && isUnchanged(value, old, node)) {
      for (const message of [...this.#findings.keys()].slice(before)) this.#findings.delete(message);
    }
    return count;
  }

  #value(value: Json, old: Json | undefined, node: SchemaNode): number {
    const kind = kindOf(value);
    if (kind === "null") {
      let count = 0;
      if (node.types.length === 0 || node.nullable) count = 1;
      else this.#wrongType(node.types.join(), kind);
      this.#enumeration(value, node);
      return count;
    }
    // Every rule that applies counts one, and so does the value.
    let count = 4;
    if (node.types.length > 0 || node.format !== undefined) count += 1 + this.#type(kind, node);
    count += this.#combinations(value, old, node);
    if (kind === "string") count += this.#string(value as string, node);
    else if (kind === "integer" || kind === "number") count += this.#number(value as number, kind, node);
    else if (kind === "array") count += this.#array(value as Json[], old, node);
    this.#enumeration(value, node);
    if (kind === "object") count += this.#object(value as JsonObject, old, node);
    return count;
  }

  #type(kind: ValueKind, node: SchemaNode): number {
    const { types, format } = node;
    const fits = types.includes(kind as SchemaNode["types"][number]) || (kind === "integer" && types.includes("number"));
    if (format !== undefined) {
      const isText = kind === "string" || kind === "array";
      const ownFormat = kind === "integer" ? "int64" : kind === "number" ? "float64" : "";
      if (!isText && !fits && ownFormat !== format.name) {
        this.#wrongType(format.name, ownFormat);
        return 0;
      }
      if (isText && !types.includes("number") && !types.includes("integer")) return 1;
    }
    if (fits) return 1;
    this.#wrongType(types.join(), kind);
    return 0;
  }

  #wrongType(expected: string, found: string): void {
    const message = `${this.#name()} in body must be of type ${expected}: ${quote(found)}`;
    this.#add(message, () => typeInvalid(this.#at(), found, message));
  }

  #string(text: string, node: SchemaNode): number {
    const { format, text: limits } = node;
    if (limits !== undefined) {
      const { minLength, maxLength, pattern } = limits;
      if (!fitsLength(text, maxLength)) {
        const message = `${this.#name()} in body should be at most ${maxLength} chars long`;
        this.#add(message, () => tooLong(this.#at(), maxLength));
      } else if (minLength > 0 && fitsLength(text, minLength - 1)) {
        this.#wrong(text, `should be at least ${minLength} chars long`);
      } else if (pattern !== undefined && !pattern.matcher(text)) {
        this.#wrong(text, `should match '${pattern.text}'`);
      }
    }
    if (format?.accepts === undefined) return 1;
    if (!format.accepts(text)) this.#wrongType(format.name, text);
    return 2;
  }

  #number(value: number, kind: "integer" | "number", node: SchemaNode): number {
    const range = (checked: number, what: string): boolean => this.#inRange(checked, what, node);
    range(value, "Checked");
    const limits = node.number;
    if (limits === undefined) return 2;
    const { multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = limits;
    if (multipleOf !== undefined) {
      this.#multiple(value, limit(multipleOf, kind, range(multipleOf, "MultipleOf")), kind);
    }
    if (minimum !== undefined) {
      const low = limit(minimum, kind, range(minimum, "Minimum boundary"));
      if (exclusiveMinimum ? value <= low : value < low) {
        this.#wrong(value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${printLimit(low, kind)}`);
      }
    }
    if (maximum !== undefined) {
      const high = limit(maximum, kind, range(maximum, "Maximum boundary"));
      if (exclusiveMaximum ? value >= high : value > high) {
        this.#wrong(value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${printLimit(high, kind)}`);
      }
    }
    return 2;
  }

  #multiple(value: number, factor: number, kind: "integer" | "number"): void {
    if (factor <= 0) {
      const message = `factor MultipleOf declared for ${this.#name()} must be positive: ${factor}`;
      this.#add(message, () => invalid(this.#at(), factor, message));
    } else if (kind === "integer" ? value % factor !== 0 : !isWhole(factor < 1 ? (1 / factor) * value : value / factor)) {
      this.#wrong(value, `should be a multiple of ${printLimit(factor, kind)}`);
    }
  }

  /** Does a value (or a limit of the schema) fit the number type? kube-openapi reports it without a field. */
  #inRange(value: number, what: string, { types, format }: SchemaNode): boolean {
    const type = types.length === 1 ? types[0]! : "number";
    let fits = true;
    if (type === "integer") {
      const bound = format?.name === "int32" ? 2 ** 31 : 2 ** 63;
      fits = Number.isInteger(value) && value >= -bound && value < bound;
    } else if (type === "number" && format?.name === "float") {
      fits = Math.abs(value) <= 3.4028234663852886e38;
    }
    if (!fits) {
      const kind = format === undefined ? "(default format)" : `with format ${format.name}`;
      this.#whole(`${what} value must be of type ${type} ${kind} in ${this.#name()}`);
    }
    return fits;
  }

  #array(list: Json[], old: Json | undefined, node: SchemaNode): number {
    let count = 2;
    const { items, minItems, maxItems } = node;
    if (items !== undefined) {
      const before = node.listType === "map" && Array.isArray(old) ? byKeys(old, node.listKeys) : undefined;
      for (let i = 0; i < list.length; i++) {
        const item = list[i]!;
        this.#path.push(i);
        count += this.ratcheted(item, before?.get(itemKey(item, node.listKeys)), items);
        this.#path.pop();
      }
    }
    if (list.length < minItems) this.#wrong(list.length, `should have at least ${minItems} items`);
    if (list.length > maxItems) {
      const message = `${this.#name()} in body should have at most ${maxItems} items`;
      this.#add(message, () => tooMany(this.#at(), list.length, maxItems));
    }
    return count;
  }

  #enumeration(value: Json, { enumeration }: SchemaNode): void {
    if (enumeration === undefined || enumeration.length === 0) return;
    if (value !== null && enumeration.some((allowed) => equal(allowed, value))) return;
    const allowed = enumeration.map((item) => (typeof item === "string" ? item : printJson(item)));
    this.#add(`${this.#name()} in body should be one of [${allowed.join(" ")}]`, () => notSupported(this.#at(), value, allowed));
  }

  #object(object: JsonObject, old: Json | undefined, node: SchemaNode): number {
    let count = 1;
    const keys = Object.keys(object);
    if (keys.length < node.minProperties) this.#wrong(keys.length, `should have at least ${node.minProperties} properties`);
    if (keys.length > node.maxProperties) {
      const message = `${this.#name()} in body should have at most ${node.maxProperties} properties`;
      this.#add(message, () => tooMany(this.#at(), keys.length, node.maxProperties));
    }
    const before = isObject(old) ? old : undefined;
    for (const key of keys) {
      const child = node.properties.get(key) ?? node.additional;
      if (child === undefined) continue;
      const isTypeMeta = this.#path.length === 0 && (key === "apiVersion" || key === "kind");
      this.#path.push(key);
      count += this.ratcheted(object[key]!, before === undefined || isTypeMeta ? undefined : own(before, key), child);
      this.#path.pop();
    }
    for (const name of node.required) {
      if (Object.hasOwn(object, name)) continue;
      this.#path.push(name);
      this.#add(`${this.#name()} in body is required`, () => required(this.#at()));
      this.#path.pop();
    }
    return count;
  }

  /** allOf, anyOf, oneOf and not. They are judged on values, never give them shape. */
  #combinations(value: Json, old: Json | undefined, node: SchemaNode): number {
    if (node.anyOf.length + node.oneOf.length + node.allOf.length === 0 && node.not === undefined) return 0;
    let count = 0;
    if (node.anyOf.length > 0) {
      const results = node.anyOf.map((option) => this.#alternative(value, old, option));
      const success = results.find((result) => result.findings.size === 0);
      if (success === undefined) this.#whole(`${quote(this.#name())} must validate at least one schema (anyOf)`);
      count += this.#merge(success ?? best(results));
    }
    if (node.oneOf.length > 0) {
      const results = node.oneOf.map((option) => this.#alternative(value, old, option));
      const valid = results.filter((result) => result.findings.size === 0);
      if (valid.length === 1) {
        count += valid[0]!.count;
      } else {
        const found = valid.length === 0 ? "Found none valid" : `Found ${valid.length} valid alternatives`;
        this.#whole(`${quote(this.#name())} must validate one and only one schema (oneOf). ${found}`);
        if (valid.length === 0) count += this.#merge(best(results));
      }
    }
    if (node.allOf.length > 0) {
      const results = node.allOf.map((option) => this.#alternative(value, old, option));
      for (const result of results) count += this.#merge(result);
      const failed = results.filter((result) => result.findings.size > 0).length;
      const how = failed === results.length ? ". None validated" : "";
      if (failed > 0) this.#whole(`${quote(this.#name())} must validate all the schemas (allOf)${how}`);
    }
    if (node.not !== undefined && this.#alternative(value, old, node.not).findings.size === 0) {
      this.#whole(`${quote(this.#name())} must not validate the schema (not)`);
    }
    return count;
  }

  #alternative(value: Json, old: Json | undefined, node: SchemaNode): Result {
    const outer = this.#findings;
    const findings: Findings = new Map();
    this.#findings = findings;
    const count = this.#value(value, old, node);
    this.#findings = outer;
    return { findings, count };
  }

  #merge({ findings, count }: Result): number {
    for (const [message, error] of findings) this.#keep(message, error);
    return count;
  }

  #wrong(value: Json, rule: string): void {
    const message = `${this.#name()} in body ${rule}`;
    this.#add(message, () => invalid(this.#at(), value, message));
  }

  /** Errors that kube-openapi ties to no field stand at the base. */
  #whole(message: string): void {
    this.#add(message, () => invalid(this.#base, "", message));
  }

  #add(message: string, error: () => FieldError): void {
    if (!this.#findings.has(message)) this.#keep(message, error());
  }

  #keep(message: string, error: FieldError): void {
    if (this.#findings.size < ERROR_LIMIT && !this.#findings.has(message)) this.#findings.set(message, error);
  }

  /** The path as messages name it: below the base, keys of maps after a dot like fields. */
  #name(): string {
    return printPath(this.#path);
  }

  #at(): FieldPath {
    const name = this.#name();
    return name === "" ? this.#base : this.#base.child(name);
  }
}

interface Result {
  readonly findings: Findings;
  readonly count: number;
}

/** The alternative that matched most; of equals the first. */
function best(results: readonly Result[]): Result {
  return results.reduce((most, result) => (result.count > most.count ? result : most));
}

/** For integers Go cuts a limit's fraction off, unless the limit was found not to fit the type at all. */
function limit(value: number, kind: "integer" | "number", fitsType: boolean): number {
  return kind === "integer" && fitsType ? Math.trunc(value) : value;
}

/** Whole up to a relative error of 1e-9, as kube-openapi judges quotients. */
function isWhole(quotient: number): boolean {
  const rounded = Math.round(quotient);
  return quotient === rounded || Math.abs(quotient - rounded) < 1e-9 * Math.abs(rounded);
}

function printLimit(value: number, kind: "integer" | "number"): string {
  return kind === "integer" && Number.isInteger(value) ? String(value) : printFloat(value);
}

/**
 * Whether ratcheting may look away: equal, where items of a list of type map are found by their keys. Fields that no schema
 * describes count as changed, as they do on a genuine server.
 */
function isUnchanged(value: Json, old: Json, node: SchemaNode): boolean {
  if (Array.isArray(value) && Array.isArray(old) && node.listType === "map" && node.items !== undefined) {
    const { items, listKeys } = node;
    const before = byKeys(old, listKeys);
    if (value.length !== old.length) return false;
    return value.every((item) => {
      const counterpart = before.get(itemKey(item, listKeys));
      return counterpart !== undefined && isUnchanged(item, counterpart, items);
    });
  }
  if (!isObject(value) || !isObject(old)) return equal(value, old);
  const keys = Object.keys(value);
  if (keys.length !== Object.keys(old).length) return false;
  return keys.every((key) => {
    const child = node.properties.get(key) ?? node.additional;
    return child !== undefined && Object.hasOwn(old, key) && isUnchanged(value[key]!, old[key]!, child);
  });
}

/** The old items of a list of type map, by their keys. */
function byKeys(list: readonly Json[], keys: readonly string[]): Map<string, Json> {
  return new Map(list.map((item) => [itemKey(item, keys), item]));
}
