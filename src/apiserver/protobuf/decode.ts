/** A protobuf body: four magic bytes and `runtime.Unknown`, which names the kind of the message inside. */
import type { JsonObject } from "#std/json.ts";
import { DecodeProblem } from "../metadata.ts";
import { fieldsOf, readMessage } from "./message.ts";
import type { Message } from "./message.ts";
import { DELETE_OPTIONS, MESSAGES } from "./messages.ts";

const MAGIC = Buffer.from("k8s\0");
const TYPE_META: Message = { 1: ["apiVersion", "string"], 2: ["kind", "string"] };
/** Of `runtime.Unknown`. */
const FIELD = { typeMeta: 1, raw: 2 };

/** Whether bodies of that kind are read as protobuf. */
export function hasProtobuf(apiVersion: string, kind: string): boolean {
  return messageOf(apiVersion, kind) !== undefined;
}

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message of that kind. */
  readonly raw: Buffer;
}

/** Throws DecodeProblem for what is no envelope. */
export function openEnvelope(bytes: Buffer): Envelope {
  if (bytes.length === 0) throw new DecodeProblem("empty data");
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new DecodeProblem("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  if (bytes.length === MAGIC.length) throw new DecodeProblem("empty body");
  let type: { apiVersion?: string; kind?: string } = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const field of fieldsOf(bytes.subarray(MAGIC.length))) {
    if (field.number === FIELD.typeMeta) type = readMessage(field.bytes ?? raw, TYPE_META);
    if (field.number === FIELD.raw) raw = field.bytes ?? raw;
  }
  return { apiVersion: type.apiVersion ?? "", kind: type.kind ?? "", raw };
}

/** The object in an envelope of a kind that {@link hasProtobuf}. Throws DecodeProblem for what is no such message. */
export function decodeMessage({ apiVersion, kind, raw }: Envelope): JsonObject {
  return { ...readMessage(raw, messageOf(apiVersion, kind) ?? {}), apiVersion, kind };
}

/** Options of a deletion say the group and version of what is deleted. */
function messageOf(apiVersion: string, kind: string): Message | undefined {
  return kind === "DeleteOptions" ? DELETE_OPTIONS : MESSAGES.get(`${apiVersion}/${kind}`);
}
