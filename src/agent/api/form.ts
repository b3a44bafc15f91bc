/**
 * Whether bytes are a message of their type, looked at before anything is made of them. The generated decoder takes the wire type of a
 * known field on trust and makes an object of every two bytes; here damage is named by its field, and what is too much costs nothing.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Fault } from "#std/fault.ts";

/** Fields and items of one message altogether: ten times the hardware of the largest machine we know of. */
const MOST_RECORDS = 65_536;
/** Items of one list, unless the table says otherwise. */
const MOST_ITEMS = 1024;
const MOST: Readonly<Record<string, number>> = {
  "api.HardwareInformation.pci_devices": 8192,
  "api.MemoryInformation.modules": 4096,
  "api.StorageInformation.devices": 4096,
  "sidero.agent.v1.HelloRequest.arguments": 64,
};
/** Bytes of one text; log lines are cut by the agent. */
const LONGEST = 4096;
/** Deeper than any message of ours; also for groups in unknown fields. */
const DEEPEST = 8;

/** Throws Fault `agent.malformed`, which names the field and the first byte that is wrong. Time and memory are bounded by the bytes. */
export function checkForm(desc: DescMessage, bytes: Uint8Array): void {
  const walk = new Walk(bytes);
  walk.message(desc, bytes.length, "", 0);
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #reader: BinaryReader;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #records = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
  }

  message(desc: DescMessage, end: number, path: string, depth: number): void {
    if (depth > DEEPEST) throw this.#malformed(path, "is nested too deeply");
    const fields = fieldsOf(desc);
    const counts = new Map<number, number>();
    while (this.#reader.pos < end) {
      if (++this.#records > MOST_RECORDS) throw this.#malformed(path, `has more than ${MOST_RECORDS} fields`);
      const [number, wireType] = this.#read(path, () => this.#reader.tag());
      const field = fields.get(number);
      if (field === undefined) {
        this.#read(path, () => this.#reader.skip(wireType, number, DEEPEST));
      } else {
        const isMany = field.fieldKind === "list" || field.fieldKind === "map";
        const index = counts.get(number) ?? 0;
        counts.set(number, index + 1);
        const name = `${path === "" ? "" : `${path}.`}${field.name}${isMany ? `[${index}]` : ""}`;
        const most = MOST[`${desc.typeName}.${field.name}`] ?? MOST_ITEMS;
        if (isMany && index >= most) throw this.#malformed(name, `is one too many: at most ${most}`);
        this.#value(field, wireType, end, name, depth);
      }
      if (this.#reader.pos > end) throw this.#malformed(path, "ends before its fields do");
    }
  }

  #value(field: DescField, wireType: WireType, end: number, path: string, depth: number): void {
    const expected = wireTypeOf(field);
    if (wireType !== expected) throw this.#malformed(path, `has wire type ${wireType} instead of ${expected}`);
    if (expected !== WireType.LengthDelimited) return this.#read(path, () => void this.#reader.skip(wireType, field.number));
    const length = this.#read(path, () => this.#reader.uint32());
    const start = this.#reader.pos;
    if (start + length > end) throw this.#malformed(path, `is said to have ${length} bytes, more than there are`);
    const inner = field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
    if (inner !== undefined) return this.message(inner, start + length, path, depth + 1);
    if (length > LONGEST) throw this.#malformed(path, `has ${length} bytes, more than ${LONGEST}`);
    // What is left are texts, and entries of a map of texts, which the decoder checks itself: there are few and they are short.
    if (field.fieldKind !== "map") this.#read(path, () => this.#decoder.decode(this.#bytes.subarray(start, start + length)));
    this.#reader.pos = start + length;
  }

  #read<T>(path: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw this.#malformed(path, cause instanceof TypeError ? "is not UTF-8" : "is cut short or damaged", cause);
    }
  }

  #malformed(path: string, problem: string, cause?: unknown): Fault {
    const message = `${path === "" ? "the message" : path} ${problem} (at byte ${this.#reader.pos})`;
    return new Fault("agent.malformed", message, { fault: "peer", retry: "never", cause });
  }
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  let fields = known.get(desc);
  if (fields === undefined) known.set(desc, (fields = new Map(desc.fields.map((field) => [field.number, field]))));
  return fields;
}

/** Our messages have no lists of numbers, so nothing is packed. */
function wireTypeOf(field: DescField): WireType {
  switch (field.scalar) {
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    case undefined:
      return field.enum === undefined || field.fieldKind === "map" ? WireType.LengthDelimited : WireType.Varint;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    default:
      return field.fieldKind === "map" ? WireType.LengthDelimited : WireType.Varint;
  }
}
