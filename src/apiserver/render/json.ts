/**
 * JSON, the representation programs ask for: stored bytes go out as they are. A list is its head, the objects' own bytes and commas; a watch
 * event is one line that all watchers share.
 */
import { apiVersionOf } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import { EventLines } from "./lines.ts";
import { listMeta } from "./shape.ts";
import type { Renderer } from "./render.ts";

const COMMA = Buffer.from(",");
const END_OF_LIST = Buffer.from("]}");

/** Whole objects in compact JSON. */
export function jsonRenderer(resource: Resource): Renderer {
  const kind = JSON.stringify(resource.definition.listKind);
  const apiVersion = JSON.stringify(apiVersionOf(resource.definition.group, resource.version.name));
  const lines = new EventLines();
  return {
    contentType: "application/json",
    one: (item) => [item.bytes],
    list(items, meta) {
      const head = `{"kind":${kind},"apiVersion":${apiVersion},"metadata":${JSON.stringify(listMeta(resource, meta))},"items":[`;
      const pieces: Buffer[] = [Buffer.from(head)];
      for (const item of items) {
        if (pieces.length > 1) pieces.push(COMMA);
        pieces.push(item.bytes);
      }
      pieces.push(END_OF_LIST);
      return pieces;
    },
    event: (type, item) => lines.of(type, item, () => item.bytes),
  };
}
