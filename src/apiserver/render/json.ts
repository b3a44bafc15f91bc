/**
 * JSON, the representation programs ask for: stored bytes go out as they are. A list is its head, the objects' own bytes and commas; a watch
 * event is one line that all watchers share.
 */
import { apiVersionOf } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import { EventLines } from "./lines.ts";
import { listMeta, withoutType } from "./shape.ts";
import type { Item, Renderer } from "./render.ts";

const OPEN = Buffer.from("{");
const COMMA = Buffer.from(",");
const END_OF_LIST = Buffer.from("]}");

/** Whole objects in compact JSON. */
export function jsonRenderer(resource: Resource): Renderer {
  const { definition } = resource;
  const kind = JSON.stringify(definition.listKind);
  const apiVersion = JSON.stringify(apiVersionOf(definition.group, resource.version.name));
  const inList = definition.custom ? (item: Item): Buffer[] => [item.bytes] : untyped(apiVersion, definition.kind);
  const lines = new EventLines();
  return {
    contentType: "application/json",
    one: (item) => [item.bytes],
    list(items, meta) {
      const head = `{"kind":${kind},"apiVersion":${apiVersion},"metadata":${JSON.stringify(listMeta(resource, meta))},"items":[`;
      const pieces: Buffer[] = [Buffer.from(head)];
      for (const item of items) {
        if (pieces.length > 1) pieces.push(COMMA);
        pieces.push(...inList(item));
      }
      pieces.push(END_OF_LIST);
      return pieces;
    },
    event: (type, item) => lines.of(type, item, () => item.bytes),
  };
}

/** An object without its type, which the store writes first and a list of built-in kinds says once for all. */
function untyped(apiVersion: string, kind: string): (item: Item) => Buffer[] {
  const start = Buffer.from(`{"apiVersion":${apiVersion},"kind":${JSON.stringify(kind)},`);
  return (item) => {
    if (start.equals(item.bytes.subarray(0, start.length))) return [OPEN, item.bytes.subarray(start.length)];
    return [Buffer.from(JSON.stringify(withoutType(item.object())))];
  };
}
