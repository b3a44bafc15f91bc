import { concat, readUint } from "#std/bytes.ts";
import type { Codec } from "../codec.ts";
import { every, uint } from "../codec.ts";
import type { Duid } from "./packet.ts";

/** RFC 8415 §11.1: at most 128 bytes after the type. */
const MAX_LENGTH = 130;

/** A DUID of a known type with an impossible length is of kind `other`: it still identifies. */
export const duid: Codec<Duid> = {
  form: "a DUID",
  read(bytes) {
    if (bytes.length < 3 || bytes.length > MAX_LENGTH) return undefined;
    const type = readUint(bytes, 0, 2);
    if (type === 1 && bytes.length > 8) {
      return { kind: "link-layer-time", htype: readUint(bytes, 2, 2), time: readUint(bytes, 4, 4), address: bytes.slice(8) };
    }
    if (type === 2 && bytes.length > 6)
      return { kind: "enterprise", enterprise: readUint(bytes, 2, 4), identifier: bytes.slice(6) };
    if (type === 3 && bytes.length > 4) return { kind: "link-layer", htype: readUint(bytes, 2, 2), address: bytes.slice(4) };
    if (type === 4 && bytes.length === 18) return { kind: "uuid", uuid: bytes.slice(2) };
    return { kind: "other", type, value: bytes.slice(2) };
  },
  write(value) {
    const parts = every(partsOf(value));
    const bytes = parts && concat(parts);
    return bytes !== undefined && bytes.length > 2 && bytes.length <= MAX_LENGTH ? bytes : undefined;
  },
};

function partsOf(value: Duid): readonly (Uint8Array | undefined)[] {
  const type = (number: number): Uint8Array | undefined => uint(2).write(number);
  switch (value.kind) {
    case "link-layer-time":
      return [type(1), uint(2).write(value.htype), uint(4).write(value.time), filled(value.address)];
    case "enterprise":
      return [type(2), uint(4).write(value.enterprise), filled(value.identifier)];
    case "link-layer":
      return [type(3), uint(2).write(value.htype), filled(value.address)];
    case "uuid":
      return [type(4), value.uuid.length === 16 ? value.uuid : undefined];
    case "other":
      return [type(value.type), value.value];
  }
}

function filled(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length > 0 ? bytes : undefined;
}
