/**
 * A Redfish resource as it came, and careful ways to read it: what has the wrong type is as good as missing, since vendors leave out, add,
 * and give null and text where the schema has something else.
 */
import { Fault } from "#std/fault.ts";
import { isObject, type Json, type JsonObject, own } from "#std/json.ts";
import { MOST_BYTES, MOST_DEPTH, MOST_ITEMS, MOST_PATH, MOST_TEXT } from "./constants.ts";

export type Document = JsonObject;

/** The one object in `bytes` (UTF-8). Throws `peer` Fault `redfish.malformed`: too long, too deep, no JSON, no object. */
export function decode(bytes: Uint8Array): Document {
  if (bytes.length > MOST_BYTES) throw malformed(`${bytes.length} bytes`);
  // Some services pad with NULs or begin with a byte order mark.
  const written = new TextDecoder().decode(bytes).replace(/[\0\s]+$/, "");
  if (depthOf(written) > MOST_DEPTH) throw malformed(`more than ${MOST_DEPTH} levels`);
  let value: Json;
  try {
    value = JSON.parse(written) as Json;
  } catch (cause) {
    throw malformed("no JSON", cause);
  }
  if (!isObject(value)) throw malformed("no object");
  return value;
}

function malformed(problem: string, cause?: unknown): Fault {
  return new Fault("redfish.malformed", `Redfish document: ${problem}`, { fault: "peer", retry: "later", cause });
}

/** How deep brackets nest, outside of strings. */
function depthOf(written: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < written.length; at++) {
    const character = written[at];
    if (isText) {
      if (character === "\\") at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

/** A text without control characters, trimmed and cut; undefined when there is none or it is empty. Numbers count as their text. */
export function text(document: Document, key: string): string | undefined {
  const value = own(document, key);
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  return (
    String(value)
      .slice(0, MOST_TEXT)
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, " ")
      .trim() || undefined
  );
}

/** A finite number, also one written as text. */
export function number(document: Document, key: string): number | undefined {
  const value = own(document, key);
  const found = typeof value === "string" && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

export function flag(document: Document, key: string): boolean | undefined {
  const value = own(document, key);
  if (value === "true" || value === "false") return value === "true";
  return typeof value === "boolean" ? value : undefined;
}

/** The object at `key`; an empty one when there is none. */
export function section(document: Document, key: string): Document {
  const value = own(document, key);
  return isObject(value) ? value : {};
}

/** The objects in the list at `key`, the first 512 of them. */
export function items(document: Document, key: string): Document[] {
  const value = own(document, key);
  return Array.isArray(value) ? value.slice(0, MOST_ITEMS).filter(isObject) : [];
}

export function texts(document: Document, key: string): string[] {
  const value = own(document, key);
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, MOST_ITEMS)
    .filter((item) => typeof item === "string")
    .map((item) => item.slice(0, MOST_TEXT));
}

/** The path in `{"@odata.id": …}` at `key` (DSP0266 §8.5). */
export function link(document: Document, key: string): string | undefined {
  const value = own(document, key);
  return isObject(value) ? pathOf(own(value, "@odata.id")) : undefined;
}

/** The paths of all members of the list of references at `key`. */
export function links(document: Document, key: string): string[] {
  return items(document, key)
    .map((item) => pathOf(own(item, "@odata.id")))
    .filter((path) => path !== undefined);
}

/**
 * A reference as the path to ask for: it begins with one `/`, has neither fragment nor control characters, and what HTTP does not allow
 * in it is encoded. Where a service gives whole URLs, only their path counts: everything is asked of the one host.
 */
export function pathOf(reference: Json | undefined): string | undefined {
  if (typeof reference !== "string" || reference.length > MOST_PATH) return undefined;
  const path = reference.replace(/^https?:\/\/[^/]*/i, "").replace(/#.*$/s, "");
  if (!/^\/[^/\\]/.test(path) || /[\p{C}\\]/u.test(path)) return undefined;
  return path.replaceAll(/[^!-~]/gu, (character) => encodeURIComponent(character));
}

/** The version of a resource for `If-Match`, where the header did not say. */
export function etagOf(document: Document): string | undefined {
  return text(document, "@odata.etag");
}
