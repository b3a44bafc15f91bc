/** Names of what a topology makes. They follow from who it is made for and what it says: made twice, it is the same object. */
import { suffixed, suffixOf } from "../machines/name.ts";

/** Five characters that follow from the text (FNV-1a, 64 bits). */
export function suffixFor(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return suffixOf(Uint8Array.from({ length: 5 }, (_each, i) => Number((hash >> BigInt(8 * i)) & 0xffn)));
}

/** By a class's Go-like template, or `<base>-<suffix>`; one that comes out too long is cut, and keeps its suffix. */
export function nameFor(
  template: string | undefined,
  base: string,
  values: Readonly<Record<string, string>>,
  suffix: string,
): string {
  if (template === undefined) return suffixed(base, suffix);
  const all: Readonly<Record<string, string>> = { ...values, random: suffix };
  const name = template.replaceAll(/\{\{\s*\.([A-Za-z.]+)\s*\}\}/g, (_text, path: string) => all[path] ?? "");
  return name.length <= 63 ? name : suffixed(name, suffix);
}
