/**
 * Kubernetes' protobuf bodies as the JSON they stand for. A message is a table from field number to name and type; what the table does
 * not name is skipped, as every protobuf reader does. Encoding: protobuf.dev, "Encoding"; only wire types 0, 1, 2 and 5 exist here.
 */
import { put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { DecodeProblem } from "../metadata.ts";

export type FieldType =
  | "string"
  /** Base64 in JSON. */
  | "bytes"
  /** Bytes that are JSON themselves. */
  | "json"
  | "bool"
  | "integer"
  | "time"
  | "microTime"
  | { readonly message: Message }
  | { readonly list: "string" | Message }
  | { readonly map: "string" | "bytes" };

export interface Message {
  readonly [number: number]: readonly [name: string, type: FieldType];
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const mapEntry = (value: "string" | "bytes"): Message => ({ 1: ["key", "string"], 2: ["value", value] });
const TIMESTAMP: Message = { 1: ["seconds", "integer"], 2: ["nanos", "integer"] };

export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Of wire type 2. */
  readonly bytes?: Buffer;
  /** Of wire type 0. */
  readonly value?: bigint;
}

/** Throws DecodeProblem for bytes that are no protobuf, or of another type than the table says. Depth is that of the tables. */
export function readMessage(bytes: Buffer, message: Message): JsonObject {
  const object: JsonObject = {};
  for (const field of fieldsOf(bytes)) {
    const known = message[field.number];
    if (known !== undefined) add(object, known[0], known[1], field);
  }
  return object;
}

function add(object: JsonObject, name: string, type: FieldType, field: Field): void {
  if (typeof type === "string") return put(object, name, scalar(type, field, name));
  const bytes = bytesOf(field, name);
  if ("message" in type) return put(object, name, readMessage(bytes, type.message));
  if ("list" in type) {
    const list = (object[name] ??= []) as Json[];
    list.push(type.list === "string" ? bytes.toString() : readMessage(bytes, type.list));
    return;
  }
  const { key = "", value = "" } = readMessage(bytes, mapEntry(type.map));
  put((object[name] ??= {}) as JsonObject, key as string, value);
}

function scalar(type: Extract<FieldType, string>, field: Field, name: string): Json {
  switch (type) {
    case "string":
      return bytesOf(field, name).toString();
    case "bytes":
      return bytesOf(field, name).toString("base64");
    case "json":
      return JSON.parse(bytesOf(field, name).toString()) as Json;
    case "bool":
      return valueOf(field, name) !== 0n;
    case "integer":
      return Number(BigInt.asIntN(64, valueOf(field, name)));
    case "time":
    case "microTime":
      return time(readMessage(bytesOf(field, name), TIMESTAMP), type);
  }
}

/** Go's zero time goes out as an empty message. */
function time({ seconds = 0, nanos = 0 }: JsonObject, type: "time" | "microTime"): string | null {
  if (seconds === 0 && nanos === 0) return null;
  const date = new Date((seconds as number) * 1000);
  if (Number.isNaN(date.getTime())) throw new DecodeProblem("proto: time is out of range");
  const whole = date.toISOString().slice(0, 19);
  return type === "time" ? `${whole}Z` : `${whole}.${String(Math.floor((nanos as number) / 1000)).padStart(6, "0")}Z`;
}

function bytesOf(field: Field, name: string): Buffer {
  return field.bytes ?? refuse(field, name);
}

function valueOf(field: Field, name: string): bigint {
  return field.value ?? refuse(field, name);
}

/** Go's field names begin with a capital letter. */
function refuse({ wireType }: Field, name: string): never {
  throw new DecodeProblem(`proto: wrong wireType = ${wireType} for field ${name[0]!.toUpperCase()}${name.slice(1)}`);
}

/** Each field as it comes; of those of fixed width, which Kubernetes does not use, the number only. */
export function* fieldsOf(bytes: Buffer): Generator<Field> {
  const cursor = { at: 0 };
  const take = (length: number): Buffer => {
    if (cursor.at + length > bytes.length) throw new DecodeProblem("unexpected EOF");
    return bytes.subarray(cursor.at, (cursor.at += length));
  };
  while (cursor.at < bytes.length) {
    const tag = varint(bytes, cursor);
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (number === 0) throw new DecodeProblem("proto: illegal tag 0");
    if (wireType === VARINT) yield { number, wireType, value: varint(bytes, cursor) };
    else if (wireType === BYTES) yield { number, wireType, bytes: take(Number(varint(bytes, cursor))) };
    else {
      yield { number, wireType };
      if (wireType === FIXED64) take(8);
      else if (wireType === FIXED32) take(4);
      else throw new DecodeProblem(`proto: illegal wireType ${wireType}`);
    }
  }
}

function varint(bytes: Buffer, cursor: { at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new DecodeProblem("unexpected EOF");
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new DecodeProblem("proto: integer overflow");
}
