/** Query parameters as Kubernetes converts them (apimachinery `conversion/queryparams`). */
import { badRequest } from "#kube/status.ts";
import { quote } from "#schema/quote.ts";

/** Present and neither `0` nor `false`; undefined when absent. */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : value !== "0" && value.toLowerCase() !== "false";
}

/** A decimal integer of 64 bits, undefined when absent or empty; otherwise 400 with Go's text. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^[+-]?[0-9]+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${quote(value)}: invalid syntax`);
  if (BigInt.asIntN(64, BigInt(value.replace("+", ""))) !== BigInt(value.replace("+", ""))) {
    throw badRequest(`strconv.ParseInt: parsing ${quote(value)}: value out of range`);
  }
  return Number(value);
}

/** A resourceVersion, undefined when absent or empty; otherwise what `refuse` makes of Go's text. */
export function revision(value: string | null | undefined, refuse: (problem: string) => Error): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  if (!/^[0-9]{1,20}$/.test(value)) throw refuse(`strconv.ParseUint: parsing ${quote(value)}: invalid syntax`);
  return Number(value);
}
