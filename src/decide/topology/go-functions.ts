/** Functions of Go templates, as far as patches of ClusterClasses use them: those of text/template, and the usual ones of sprig. */
import { Fault } from "#std/fault.ts";
import { equal, isObject, type Json } from "#std/json.ts";

export type GoFunction = (...args: Json[]) => Json;

export function templateFault(message: string): Fault {
  return new Fault("topology.template", message, { fault: "caller", retry: "never" });
}

/** As Go's `%v` prints values. */
export function printValue(value: Json | undefined): string {
  if (value === undefined || value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printValue).join(" ")}]`;
  if (!isObject(value)) return String(value);
  const fields = Object.keys(value).toSorted();
  return `map[${fields.map((key) => `${key}:${printValue(value[key])}`).join(" ")}]`;
}

/** Empty values are false. */
export function isTruthy(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isObject(value) || Object.keys(value).length > 0;
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : printValue(value);
}

function number(value: Json | undefined): number {
  const result = Number(value);
  if (Number.isNaN(result)) throw templateFault(`${printValue(value)} is no number`);
  return result;
}

function compare(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw templateFault(`${printValue(a)} and ${printValue(b)} cannot be compared`);
}

function length(value: Json | undefined): number {
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  throw templateFault(`${printValue(value)} has no length`);
}

function index(value: Json | undefined, ...keys: Json[]): Json {
  return keys.reduce<Json>((inner, key) => {
    if (Array.isArray(inner)) {
      const item = typeof key === "number" ? inner[key] : undefined;
      if (item === undefined) throw templateFault(`index ${printValue(key)} is out of range`);
      return item;
    }
    return isObject(inner) && typeof key === "string" && Object.hasOwn(inner, key) ? inner[key]! : null;
  }, value ?? null);
}

function printf(format: Json | undefined, ...args: Json[]): string {
  let next = 0;
  return text(format).replaceAll(/%(?:%|([svdqt]))/g, (all, verb: string | undefined) => {
    if (verb === undefined) return all === "%%" ? "%" : all;
    const value = args[next++];
    return verb === "q" ? JSON.stringify(text(value)) : text(value);
  });
}

export const GO_FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ["eq", (first, ...others) => others.some((other) => equal(first, other))],
  ["ne", (a, b) => !equal(a, b)],
  ["lt", (a, b) => compare(a, b) < 0],
  ["le", (a, b) => compare(a, b) <= 0],
  ["gt", (a, b) => compare(a, b) > 0],
  ["ge", (a, b) => compare(a, b) >= 0],
  ["not", (value) => !isTruthy(value)],
  ["and", (...values) => values.find((value) => !isTruthy(value)) ?? values.at(-1) ?? null],
  ["or", (...values) => values.find(isTruthy) ?? values.at(-1) ?? null],
  ["len", length],
  ["index", index],
  ["print", (...values) => values.map(text).join("")],
  ["printf", printf],
  ["quote", (...values) => values.map((value) => JSON.stringify(text(value))).join(" ")],
  ["squote", (...values) => values.map((value) => `'${text(value)}'`).join(" ")],
  ["default", (fallback, value) => (isTruthy(value) ? value! : (fallback ?? null))],
  ["empty", (value) => !isTruthy(value)],
  ["ternary", (yes, no, which) => (which === true ? yes! : no!)],
  ["upper", (value) => text(value).toUpperCase()],
  ["lower", (value) => text(value).toLowerCase()],
  ["trim", (value) => text(value).trim()],
  [
    "trimPrefix",
    (prefix, value) => (text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value)),
  ],
  [
    "trimSuffix",
    (suffix, value) =>
      text(value).endsWith(text(suffix)) ? text(value).slice(0, text(value).length - text(suffix).length) : text(value),
  ],
  ["replace", (old, fresh, value) => text(value).replaceAll(text(old), text(fresh))],
  ["contains", (part, value) => text(value).includes(text(part))],
  ["hasPrefix", (prefix, value) => text(value).startsWith(text(prefix))],
  ["hasSuffix", (suffix, value) => text(value).endsWith(text(suffix))],
  ["join", (separator, values) => (Array.isArray(values) ? values.map(text).join(text(separator)) : text(values))],
  ["splitList", (separator, value) => text(value).split(text(separator))],
  ["toString", text],
  ["int", (value) => Math.trunc(number(value))],
  ["add", (...values) => values.reduce<number>((sum, value) => sum + number(value), 0)],
  ["sub", (a, b) => number(a) - number(b)],
  ["mul", (...values) => values.reduce<number>((product, value) => product * number(value), 1)],
  ["list", (...values) => values],
  ["first", (values) => (Array.isArray(values) ? (values[0] ?? null) : null)],
  ["last", (values) => (Array.isArray(values) ? (values.at(-1) ?? null) : null)],
  ["has", (item, values) => Array.isArray(values) && values.some((each) => equal(each, item))],
  ["hasKey", (value, key) => isObject(value) && Object.hasOwn(value, text(key))],
  ["toJson", (value) => JSON.stringify(value)],
  ["indent", (spaces, value) => indented(number(spaces), text(value))],
  ["nindent", (spaces, value) => `\n${indented(number(spaces), text(value))}`],
]);

function indented(spaces: number, value: string): string {
  const margin = " ".repeat(Math.min(Math.max(spaces, 0), 100));
  return value
    .split("\n")
    .map((line) => margin + line)
    .join("\n");
}
