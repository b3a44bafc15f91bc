/**
 * Field errors exactly as k8s.io/apimachinery/pkg/util/validation/field prints them: clients and people match on these texts.
 */
import { printJson, printNumber, quote } from "./quote.ts";

/** The `reason` of a Status cause. */
export type FieldErrorType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "FieldValueNotFound"
  | "InternalError";

export interface FieldError {
  type: FieldErrorType;
  /** `spec.disks[0].name`, `metadata.labels[bad key]`, or "" where Kubernetes prints `<nil>`. */
  field: string;
  /** Without the field: `Invalid value: "x": must be …`; this is the `message` of the Status cause. */
  body: string;
}

/** A path under construction; immutable, so a walker can hand it down. */
export class FieldPath {
  readonly #text: string;
  private constructor(text: string) {
    this.#text = text;
  }
  static readonly root: FieldPath = new FieldPath("");
  static of(...names: string[]): FieldPath {
    return names.reduce((path, name) => path.child(name), FieldPath.root);
  }
  child(name: string): FieldPath {
    return new FieldPath(this.#text === "" ? name : `${this.#text}.${name}`);
  }
  index(i: number): FieldPath {
    return new FieldPath(`${this.#text}[${i}]`);
  }
  key(key: string): FieldPath {
    return new FieldPath(`${this.#text}[${key}]`);
  }
  toString(): string {
    return this.#text === "" ? "<nil>" : this.#text;
  }
  get isRoot(): boolean {
    return this.#text === "";
  }
}

/** `spec.x: Invalid value: …`, as one line of an aggregate. */
export function printFieldError(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}

/** How Go's field package prints the offending value: strings quoted, numbers by `%v`, the rest as JSON. */
function printValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  return typeof value === "number" ? printNumber(value) : printJson(value ?? null);
}

export function required(path: FieldPath, detail = ""): FieldError {
  return {
    type: "FieldValueRequired",
    field: String(path),
    body: detail === "" ? "Required value" : `Required value: ${detail}`,
  };
}
export function invalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return {
    type: "FieldValueInvalid",
    field: String(path),
    body: `Invalid value: ${printValue(value)}${detail === "" ? "" : `: ${detail}`}`,
  };
}
/** {@link invalid} without the value, which is long, structured or secret; a server prints CEL errors on objects this way too. */
export function invalidUnshown(path: FieldPath, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: String(path), body: `Invalid value: ${detail}` };
}
export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const values = supported.map(quote).join(", ");
  return {
    type: "FieldValueNotSupported",
    field: String(path),
    body: `Unsupported value: ${printValue(value)}: supported values: ${values}`,
  };
}
export function duplicate(path: FieldPath, value: unknown): FieldError {
  return { type: "FieldValueDuplicate", field: String(path), body: `Duplicate value: ${printValue(value)}` };
}
export function forbidden(path: FieldPath, detail: string): FieldError {
  return { type: "FieldValueForbidden", field: String(path), body: detail === "" ? "Forbidden" : `Forbidden: ${detail}` };
}
export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return { type: "FieldValueTypeInvalid", field: String(path), body: `Invalid value: ${printValue(value)}: ${detail}` };
}
export function tooLong(path: FieldPath, maximum: number): FieldError {
  return {
    type: "FieldValueTooLong",
    field: String(path),
    body: `Too long: may not be more than ${maximum} ${maximum === 1 ? "byte" : "bytes"}`,
  };
}
export function tooMany(path: FieldPath, actual: number, maximum: number): FieldError {
  const items = maximum === 1 ? "item" : "items";
  return { type: "FieldValueTooMany", field: String(path), body: `Too many: ${actual}: must have at most ${maximum} ${items}` };
}
