/** Values as Go prints them in error messages: clients and people compare these texts with a genuine server's. */
import { isObject } from "#std/json.ts";

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** What `strconv.Quote` does not print as it is: control, format, private and unassigned characters, and blanks but U+0020. */
const UNPRINTABLE = /["\\]|(?! )[\p{C}\p{Z}]/gu;

/** A string in double quotes with Go's escapes (`%q`). */
export function quote(text: string): string {
  return `"${text.replace(UNPRINTABLE, escapeCharacter)}"`;
}

/** As Go's `%q` prints a single character in an error: `'}'`, `'\x01'`. */
export function quoteCharacter(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${quote(character).slice(1, -1)}'`;
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, "0")}`;
  if (code >= 0xd800 && code < 0xe000) return "\\ufffd";
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** JSON as Go's `encoding/json` writes a decoded value: keys sorted, `<`, `>` and `&` escaped. */
export function printJson(value: unknown): string {
  const ordered = typeof value === "object" ? sorted(value) : value;
  return JSON.stringify(ordered).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** A decoded number by `%v`: integers are int64, all else float64. */
export function printNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? String(value) : printFloat(value);
}

/** A float64 by `%v`: shortest digits, with an exponent of two digits or more below 1e-4 and from 1e6 on. */
export function printFloat(value: number): string {
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
