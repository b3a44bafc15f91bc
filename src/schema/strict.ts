/**
 * Request bodies: JSON as the genuine server's decoder reads it (sigs.k8s.io/json), with its error texts.
 *
 * The value comes from JSON.parse; one pass over the text before it bounds the nesting and finds numbers that a double would
 * change. Duplicate keys are found by counting: a text with more colons than the value has keys has lost some, and only then
 * is it read again to name them.
 */
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import { duplicateFields, syntaxProblem } from "./json-text.ts";
import { quote } from "./quote.ts";

export interface ParsedJson {
  readonly value: unknown;
  /** Paths of fields given more than once (`spec.x`, `spec.list[0].y`); the last one counts. At most 100. */
  readonly duplicates: readonly string[];
}

export interface ParseLimits {
  /** Nested arrays and objects; a genuine server takes 10,000, more than recursion can take here. */
  readonly maxDepth: number;
}

/** Enough for any real object, and safe for every recursive walk over it. */
export const DEFAULT_LIMITS: ParseLimits = { maxDepth: 500 };

/** Faulty UTF-8 becomes U+FFFD as in Go; a byte order mark is a syntax error as in Go. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Parses a body. A faulty text throws Fault `schema.json`, whose message is what a genuine server says about it (`unexpected
 * end of JSON input`) without the words around it; a number beyond representation throws `schema.json-number`.
 * Linear in time, memory bounded by the body.
 */
export function parseJson(bytes: Uint8Array, limits: ParseLimits = DEFAULT_LIMITS): ParsedJson {
  const text = UTF8.decode(bytes);
  const shape = scan(text, limits.maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(withoutLoneSurrogates(text));
  } catch (error) {
    // Both read the same grammar; if they ever disagree, the engine's words are better than none.
    throw refused("schema.json", syntaxProblem(bytes) ?? String(error));
  }
  if (shape.longNumbers.length > 0) checkNumbers(shape.longNumbers);
  return { value, duplicates: keyCount(value) === shape.colons ? [] : duplicateFields(text) };
}

/** Escapes, and among them halves of surrogate pairs; other escapes are matched so that an escaped backslash starts none. */
const ESCAPE = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\[^]/g;

/** Half a character becomes U+FFFD as in Go: as it is no UTF-8 could hold it. */
function withoutLoneSurrogates(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(ESCAPE, (escape: string, half: string | undefined) => (half === undefined ? escape : "\\ufffd"));
}

/** `unknown field "spec.bogus"`, as it is sent in warnings and in the error of fieldValidation=Strict. */
export function unknownField(path: string): string {
  return `unknown field ${quote(path)}`;
}

/** `duplicate field "spec.x"`. */
export function duplicateField(path: string): string {
  return `duplicate field ${quote(path)}`;
}

function refused(code: "schema.json" | "schema.json-number", problem: string): Fault {
  return new Fault(code, problem, { fault: "caller", retry: "never" });
}

interface Shape {
  /** Colons outside strings: the number of keys written. */
  readonly colons: number;
  /** Numbers that may not survive as a double. */
  readonly longNumbers: string[];
}

/** One pass outside of strings; the text need not be valid. */
function scan(text: string, maxDepth: number): Shape {
  const longNumbers: string[] = [];
  let colons = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22) {
      i = endOfString(text, i + 1);
    } else if (unit === 0x3a) {
      colons++;
    } else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > maxDepth) throw refused("schema.json", `invalid character '${text[i]}' exceeded max depth`);
    } else if (unit === 0x7d || unit === 0x5d) {
      depth--;
    } else if (isDigit(unit) || unit === 0x2d) {
      const start = i;
      let isFloat = false;
      for (; isNumberPart(text.charCodeAt(i + 1)); i++) isFloat ||= !isDigit(text.charCodeAt(i + 1));
      if (isFloat || i - start >= 15) longNumbers.push(text.slice(start, i + 1));
    }
  }
  return { colons, longNumbers };
}

/** The position of the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(position - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Digits, `.`, `e`, `E`, `+`, `-`. */
function isNumberPart(unit: number): boolean {
  return isDigit(unit) || unit === 0x2e || unit === 0x65 || unit === 0x45 || unit === 0x2b || unit === 0x2d;
}

/**
 * Nothing may be changed silently: an integer that fits Go's int64 is kept exactly there, so where a double would round it the
 * object is refused. Larger integers and fractions are doubles on both sides.
 */
function checkNumbers(numbers: readonly string[]): void {
  for (const text of numbers) {
    const value = Number(text);
    if (!Number.isFinite(value))
      throw refused("schema.json-number", `json: cannot unmarshal number ${text} into Go value of type float64`);
    if (Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(text)) continue;
    const exact = BigInt(text);
    if (BigInt.asIntN(64, exact) === exact && String(value) !== text) {
      throw refused(
        "schema.json-number",
        `number ${text} cannot be kept exactly: integers beyond ±${Number.MAX_SAFE_INTEGER} are not supported`,
      );
    }
  }
}

function keyCount(value: unknown): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += keyCount(item);
  } else if (isObject(value)) {
    for (const key in value) {
      count++;
      const child = value[key];
      if (typeof child === "object") count += keyCount(child);
    }
  }
  return count;
}
