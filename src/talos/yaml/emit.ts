/**
 * YAML as Go's encoder for Talos writes it: four spaces, sequences below their keys, what a reader could take for something else in
 * quotes, longer texts as literal blocks. Keys in the order of the object.
 */
import { isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";

const STEP = 4;
const LONGEST_KEY = 1000;

/** Ends with a line break. */
export function emitYaml(value: Json): string {
  if (isObject(value) && Object.keys(value).length > 0) return mapLines(value, 0).join("");
  if (Array.isArray(value) && value.length > 0) return listLines(value, 0).join("");
  return `${scalar(value, 0)}\n`;
}

function mapLines(map: JsonObject, column: number): string[] {
  return Object.entries(map).map(([key, value]) => `${" ".repeat(column)}${member(key, value, column)}`);
}

/** A key without a question mark may be 1024 characters long (YAML 1.2.2 §7.4.2). */
function member(key: string, value: Json, column: number): string {
  const text = oneLine(key);
  const begin = text.length > LONGEST_KEY ? `? ${text}\n${" ".repeat(column)}` : text;
  return `${begin}:${below(value, nextColumn(column))}`;
}

/** The next multiple of four: inside of a list item, which starts two after its dash, that is two more. */
function nextColumn(column: number): number {
  return (Math.floor(column / STEP) + 1) * STEP;
}

function below(value: Json, column: number): string {
  if (isObject(value) && Object.keys(value).length > 0) return `\n${mapLines(value, column).join("")}`;
  if (Array.isArray(value) && value.length > 0) return `\n${listLines(value, column).join("")}`;
  return ` ${scalar(value, column)}\n`;
}

function listLines(list: Json[], column: number): string[] {
  const dash = `${" ".repeat(column)}- `;
  return list.map((item) => {
    if (isObject(item) && Object.keys(item).length > 0)
      return (
        dash +
        mapLines(item, column + 2)
          .join("")
          .trimStart()
      );
    if (Array.isArray(item) && item.length > 0)
      return (
        dash +
        listLines(item, column + 2)
          .join("")
          .trimStart()
      );
    return `${dash}${scalar(item, column + 2)}\n`;
  });
}

function scalar(value: Json, column: number): string {
  if (typeof value === "string") return isLiteral(value) ? literal(value, column) : oneLine(value);
  if (Array.isArray(value)) return "[]";
  if (isObject(value)) return "{}";
  if (typeof value !== "number" || Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
}

/** Several lines of text that a literal block can hold: printable, and not starting with a space, which would look like indentation. */
export function isLiteral(text: string): boolean {
  return /\n[^]/.test(text.replace(/\n+$/, "\n")) || (text.length > 1 && text.endsWith("\n"))
    ? /^[^\s][\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe]*$/.test(text) && !/[ ]\n/.test(text)
    : false;
}

function literal(text: string, column: number): string {
  const chomp = text.endsWith("\n\n") ? "+" : text.endsWith("\n") ? "" : "-";
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const lines = body.split("\n").map((line) => (line === "" ? "" : " ".repeat(Math.max(column, STEP)) + line));
  return `|${chomp}\n${lines.join("\n")}`;
}

function oneLine(text: string): string {
  return wantsQuotes(text) || !isPlain(text) ? doubleQuoted(text) : text;
}

/** What YAML 1.1 and 1.2 take for something other than text: booleans, nulls, numbers of all bases, times, merge keys. */
const OTHER =
  /^(~|null|Null|NULL|<<|=|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?)|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?)$/;

export function wantsQuotes(text: string): boolean {
  return text === "" || OTHER.test(text);
}

/** A plain scalar on one line in block context (YAML 1.2 §7.3.3), with room to spare. */
function isPlain(text: string): boolean {
  if (
    !/^[\x21-\x7e\u00a1-\ud7ff\ue000-\ufefe]([\x20-\x7e\u00a1-\ud7ff\ue000-\ufefe]*[\x21-\x7e\u00a1-\ud7ff\ue000-\ufefe])?$/.test(
      text,
    )
  )
    return false;
  if (/^[,[\]{}#&*!|>'"%@`]/.test(text) || /^[-?:]( |$)/.test(text) || /^(---|\.\.\.)/.test(text)) return false;
  return !text.includes(": ") && !text.includes(" #") && !text.endsWith(":");
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function doubleQuoted(text: string): string {
  const inner = text.replace(/["\\]|[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe]/gu, (character) => {
    const point = character.codePointAt(0)!;
    if (point > 0xffff) return character;
    // Half of a surrogate pair is no character: no UTF-8 could hold it.
    if (point >= 0xd800 && point <= 0xdfff) return "\\ufffd";
    return ESCAPES[character] ?? `\\u${point.toString(16).padStart(4, "0")}`;
  });
  return `"${inner}"`;
}
