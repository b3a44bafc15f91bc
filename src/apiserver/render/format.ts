/** The encodings of a document: JSON, JSON for people, YAML. */
import { stringify } from "yaml";
import type { Fault } from "#std/fault.ts";
import { statusFault } from "#kube/status.ts";

export const JSON_TYPE = "application/json";
export const YAML_TYPE = "application/yaml";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

export interface Format {
  readonly contentType: string;
  encode(document: object): Buffer;
}

export const JSON_FORMAT: Format = {
  contentType: JSON_TYPE,
  encode: (document) => Buffer.from(JSON.stringify(document)),
};

/** For people: two spaces. */
export const PRETTY_FORMAT: Format = {
  contentType: JSON_TYPE,
  encode: (document) => Buffer.from(JSON.stringify(document, null, 2)),
};

/** Sorted keys, and YAML 1.1 quoting (`"on"`, `"2026-01-01"`), since that is what Go's YAML readers understand. */
export const YAML_FORMAT: Format = {
  contentType: YAML_TYPE,
  encode: (document) =>
    Buffer.from(
      stringify(document, { version: "1.1", sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false }),
    ),
};

/** By media type; `pretty` matters to JSON only. */
export function formatOf(mediaType: string, pretty: boolean): Format {
  if (mediaType === YAML_TYPE) return YAML_FORMAT;
  return pretty ? PRETTY_FORMAT : JSON_FORMAT;
}

/**
 * 406, naming what the genuine server would accept; protobuf is among it because a client should learn what the API has, not what
 * we lack.
 */
export function notAcceptable(watch: boolean): Fault {
  const types = watch ? [JSON_TYPE, PROTOBUF_TYPE].map((type) => `${type};stream=watch`) : [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
  return statusFault("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}
