/** Renderers that build a document and encode it: everything but whole objects in compact JSON. */
import { stringify } from "yaml";
import { EventLines, eventLine } from "./lines.ts";
import type { Renderer } from "./render.ts";
import type { Shape } from "./shape.ts";

export interface Format {
  readonly contentType: string;
  encode(document: object): Buffer;
}

export const JSON_FORMAT: Format = {
  contentType: "application/json",
  encode: (document) => Buffer.from(JSON.stringify(document)),
};

/** For people: two spaces, and a line end so that a shell prompt starts on a line of its own. */
export const PRETTY_FORMAT: Format = {
  contentType: "application/json",
  encode: (document) => Buffer.from(`${JSON.stringify(document, null, 2)}\n`),
};

/** Sorted keys, and YAML 1.1 quoting (`"on"`, `"2026-01-01"`), since that is what Go's YAML readers understand. */
export const YAML_FORMAT: Format = {
  contentType: "application/yaml",
  encode: (document) =>
    Buffer.from(stringify(document, { version: "1.1", sortMapEntries: true, indentSeq: false, aliasDuplicateObjects: false })),
};

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
