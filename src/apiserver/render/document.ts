/** Renderers that build a document and encode it: everything but whole objects in compact JSON. */
import { JSON_FORMAT } from "./format.ts";
import type { Format } from "./format.ts";
import { EventLines, eventLine } from "./lines.ts";
import type { Renderer } from "./render.ts";
import type { Shape } from "./shape.ts";

/** Watch events are compact JSON whatever the format: YAML has no streaming form and pretty printing would break the lines. */
export function documentRenderer(shape: Shape, format: Format): Renderer {
  const lines = new EventLines();
  return {
    contentType: format.contentType,
    one: (item) => [format.encode(shape.one(item))],
    list: (items, meta) => [format.encode(shape.list(items, meta))],
    event(type, item, first) {
      if (type === "ERROR") return eventLine(type, item.bytes);
      const encode = (): Buffer => JSON_FORMAT.encode(shape.event(type, item, first));
      return shape.volatile ? eventLine(type, encode()) : lines.of(type, item, encode);
    },
  };
}
