import { fromLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { OPCODE } from "./constants.ts";
import type { Options, Packet } from "./packet.ts";

/** The bytes of one datagram. A text that no NUL-ended ISO 8859-1 can be is a `caller` Fault `tftp.text`. */
export function encode(packet: Packet): Uint8Array {
  switch (packet.kind) {
    case "read-request":
      return texts(OPCODE.readRequest, [packet.file, packet.mode, ...flatten(packet.options)]);
    case "write-request":
      return texts(OPCODE.writeRequest, [packet.file, packet.mode, ...flatten(packet.options)]);
    case "option-acknowledgement":
      return texts(OPCODE.optionAcknowledgement, flatten(packet.options));
    case "data":
      return numbered(OPCODE.data, packet.block, packet.data);
    case "acknowledgement":
      return numbered(OPCODE.acknowledgement, packet.block);
    case "error":
      return numbered(OPCODE.error, packet.code, latin1(`${packet.message}\0`, 1));
  }
}

function flatten(options: Options): string[] {
  return [...options].flat();
}

function texts(opcode: number, parts: readonly string[]): Uint8Array {
  return latin1(`\0${String.fromCharCode(opcode)}${parts.map((part) => `${part}\0`).join("")}`, parts.length + 1);
}

/** Opcode, a 16-bit number, and what follows: one allocation and one copy, as this is what a transfer does all the time. */
function numbered(opcode: number, number: number, rest?: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + (rest?.length ?? 0));
  bytes[1] = opcode;
  bytes[2] = number >> 8;
  bytes[3] = number;
  if (rest !== undefined) bytes.set(rest, 4);
  return bytes;
}

/** The bytes of `text`, which must have as many NULs as were put there and nothing past U+00FF. */
function latin1(text: string, nuls: number): Uint8Array {
  const bytes = fromLatin1(text);
  if (bytes === undefined || text.split("\0").length - 1 !== nuls) {
    throw new Fault("tftp.text", `no packet can carry ${JSON.stringify(text)}`, { fault: "caller", retry: "never" });
  }
  return bytes;
}
