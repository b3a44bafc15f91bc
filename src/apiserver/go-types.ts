/** How Go's JSON decoder says that a value does not fit. */
import type { Json } from "#std/json.ts";

/** The struct into which Kubernetes reads apiVersion and kind, as its messages print it. */
export const TYPE_META: string = String.raw`Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

/** `json: cannot unmarshal array into …`; `into` is `Go value of type T` or `Go struct field S.f of type T`. */
export function goTypeMismatch(value: Json, into: string): string {
  const type = Array.isArray(value) ? "array" : value === null ? "null" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${type} into ${into}`;
}
