import { readUint, toLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { MESSAGE_LIMIT, OPCODE, REQUEST_LIMIT } from "./constants.ts";
import type { Options, Packet } from "./packet.ts";

/**
 * The packet in one datagram. Throws a `peer` Fault whose facts have the byte `offset`: `tftp.truncated`, `tftp.opcode`,
 * `tftp.too-long`, `tftp.unterminated` or `tftp.option`. The data of a block is a view of `bytes`, not a copy.
 */
export function decode(bytes: Uint8Array): Packet {
  if (bytes.length < 4) throw malformed("truncated", bytes.length, `a packet of ${bytes.length} bytes`);
  const opcode = readUint(bytes, 0, 2);
  switch (opcode) {
    case OPCODE.readRequest:
    case OPCODE.writeRequest: {
      const [file, mode, ...rest] = readTexts(bytes);
      if (file === undefined || mode === undefined) throw malformed("truncated", bytes.length, "a request without a mode");
      const kind = opcode === OPCODE.readRequest ? "read-request" : "write-request";
      return { kind, file: file.text, mode: mode.text.toLowerCase(), options: readOptions(rest) };
    }
    case OPCODE.data:
      return { kind: "data", block: readUint(bytes, 2, 2), data: bytes.subarray(4) };
    // Some loaders round their packets up: what follows the block number says nothing.
    case OPCODE.acknowledgement:
      return { kind: "acknowledgement", block: readUint(bytes, 2, 2) };
    case OPCODE.error:
      return { kind: "error", code: readUint(bytes, 2, 2), message: readMessage(bytes) };
    case OPCODE.optionAcknowledgement:
      return { kind: "option-acknowledgement", options: readOptions(readTexts(bytes)) };
    default:
      throw malformed("opcode", 0, `no packet has the opcode ${opcode}`);
  }
}

interface Text {
  readonly text: string;
  readonly offset: number;
}

/** The texts after the opcode, each ended by NUL. */
function readTexts(bytes: Uint8Array): Text[] {
  if (bytes.length > REQUEST_LIMIT) throw malformed("too-long", REQUEST_LIMIT, `${bytes.length} bytes of options`);
  const texts: Text[] = [];
  for (let offset = 2; offset < bytes.length;) {
    const end = bytes.indexOf(0, offset);
    if (end === -1) throw malformed("unterminated", offset, "a text without its end");
    texts.push({ text: toLatin1(bytes.subarray(offset, end)), offset });
    offset = end + 1;
  }
  return texts;
}

/** Pairs of name and value. A nameless rest is the padding of old boot ROMs; of a name given twice the first value counts. */
function readOptions(texts: readonly Text[]): Options {
  const options = new Map<string, string>();
  for (let i = 0; i < texts.length; i += 2) {
    const [name, value] = [texts[i]!, texts[i + 1]];
    if (name.text === "") {
      const visible = texts.slice(i).find(({ text }) => text !== "");
      if (visible === undefined) break;
      throw malformed("option", name.offset, "an option without a name");
    }
    if (value === undefined) throw malformed("option", name.offset, `the option "${name.text}" has no value`);
    const key = name.text.toLowerCase();
    if (!options.has(key)) options.set(key, value.text);
  }
  return options;
}

/** The message of an ERROR; many clients leave its NUL out. */
function readMessage(bytes: Uint8Array): string {
  const end = bytes.indexOf(0, 4);
  return toLatin1(bytes.subarray(4, Math.min(end === -1 ? bytes.length : end, 4 + MESSAGE_LIMIT)));
}

function malformed(what: string, offset: number, message: string): Fault {
  return new Fault(`tftp.${what}`, `byte ${offset}: ${message}`, { fault: "peer", retry: "never", facts: { offset } });
}
