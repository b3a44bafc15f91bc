/** Values as Go's `%v` prints them; some of Kubernetes' messages quote patches this way. */
import { isObject } from "#std/json.ts";
import type { Json } from "#std/json.ts";

/** `map[a:1 b:[x y]]`, keys sorted; null is `<nil>`. */
export function printGo(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printGo).join(" ")}]`;
  if (!isObject(value)) return String(value);
  const members = Object.keys(value).sort();
  return `map[${members.map((key) => `${key}:${printGo(value[key]!)}`).join(" ")}]`;
}

/** The type Go gives to a value decoded from JSON. */
export function goType(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "string" ? "string" : "map[string]interface {}";
}
