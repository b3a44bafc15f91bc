/** The functions of predicates: those of CEL's standard that are of use here, and a few more. What each gives is for the check before it runs. */
import { celFunc, celMethod, CelScalar, isCelList, isCelMap, type CelFunc, type CelValue } from "@bufbuild/cel";
import { BOOL, DOUBLE, DYN, INT, STRING, type Type } from "./type.ts";

const SUFFIXES: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 1000n,
  M: 1000n ** 2n,
  G: 1000n ** 3n,
  T: 1000n ** 4n,
  P: 1000n ** 5n,
  Ki: 1024n,
  Mi: 1024n ** 2n,
  Gi: 1024n ** 3n,
  Ti: 1024n ** 4n,
  Pi: 1024n ** 5n,
};

/** Bytes of `64Gi`; undefined for what is no whole number with such a suffix. */
export function quantity(text: string): bigint | undefined {
  const [, digits = "", suffix = ""] = /^(\d{1,12})([kMGTP]|[KMGTP]i|)$/.exec(text) ?? [];
  return digits === "" ? undefined : BigInt(digits) * SUFFIXES[suffix]!;
}

/** What `has(a.b)` becomes where `a` is hardware: whether anything is known of it. No name that anybody can write. */
export const PRESENT = "@present";

function isPresent(value: CelValue): boolean {
  if (isCelList(value)) return value.size > 0;
  if (isCelMap(value)) return [...value.values()].some(isPresent);
  return value !== "" && value !== 0n && value !== 0 && value !== false;
}

export const FUNCTIONS: readonly CelFunc[] = [
  celFunc("quantity", [CelScalar.STRING], CelScalar.INT, (text) => {
    const bytes = quantity(text);
    if (bytes === undefined) throw new Error(`"${text}" is no quantity such as 64Gi`);
    return bytes;
  }),
  celMethod("lowerAscii", CelScalar.STRING, [], CelScalar.STRING, function () {
    return this.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  }),
  celFunc(PRESENT, [CelScalar.DYN], CelScalar.BOOL, isPresent),
];

/** What functions that may be called give; those of operators are in `check.ts`. */
export const RESULTS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["size", INT],
  ["int", INT],
  ["double", DOUBLE],
  ["string", STRING],
  ["bool", BOOL],
  ["dyn", DYN],
  ["startsWith", BOOL],
  ["endsWith", BOOL],
  ["contains", BOOL],
  ["matches", BOOL],
  ["quantity", INT],
  ["lowerAscii", STRING],
]);
