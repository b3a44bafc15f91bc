/** core/v1 Secret as controllers see it, and its entries as text. */
import type { KubeObject } from "#schema/meta.ts";
import { encodeBase64 } from "#std/base64.ts";
import { kindRef } from "./kind.ts";

export interface Secret extends KubeObject {
  readonly type?: string;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export const Secret = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

/** The entry as text; undefined when it is not there, or not text in UTF-8. */
export function entryOf({ data }: Pick<Secret, "data">, key: string): string | undefined {
  const base64 = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  if (base64 === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `data` of a Secret with these entries. */
export function entries(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encodeBase64(text)]));
}
