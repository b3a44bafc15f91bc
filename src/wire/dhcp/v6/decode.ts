import { formatIpv6 } from "#std/address.ts";
import { readUint } from "#std/bytes.ts";
import { MAX_MESSAGE_LENGTH } from "../constants.ts";
import { peerFault } from "../fault.ts";
import { MAX_RELAYS, MESSAGE_TYPES, RELAY_FORWARD, RELAY_MESSAGE, RELAY_REPLY } from "./constants.ts";
import { frame } from "./frame.ts";
import { OPTIONS, RELAY_OPTIONS } from "./option.ts";
import type { Message, Packet, Relay } from "./packet.ts";

const MESSAGE_HEADER = 4;
const RELAY_HEADER = 34;

/**
 * The packet of a UDP payload (RFC 8415 §8, §9); it shares no memory with `bytes`. A `peer` Fault (`dhcp.…`) says which byte is
 * wrong. Linear in the length of `bytes`; at most 32 relays around a message.
 */
export function decode(bytes: Uint8Array): Packet {
  if (bytes.length > MAX_MESSAGE_LENGTH) {
    throw peerFault(
      "dhcp.too-long",
      MAX_MESSAGE_LENGTH,
      `the message has ${bytes.length} bytes, the limit is ${MAX_MESSAGE_LENGTH}`,
    );
  }
  const relays: Omit<Relay, "message">[] = [];
  let [inner, offset] = [bytes, 0];
  while (inner[0] === RELAY_FORWARD || inner[0] === RELAY_REPLY) {
    if (relays.length === MAX_RELAYS)
      throw peerFault("dhcp.too-deep", offset, `more than ${MAX_RELAYS} relays around the message`);
    const { relay, message, messageOffset } = decodeRelay(inner, offset);
    relays.push(relay);
    [inner, offset] = [message, messageOffset];
  }
  return relays.reduceRight<Packet>((message, relay) => ({ ...relay, message }), decodeMessage(inner, offset));
}

function decodeMessage(bytes: Uint8Array, offset: number): Message {
  const type = MESSAGE_TYPES[(bytes[0] ?? 0) - 1];
  if (bytes.length > 0 && type === undefined) throw peerFault("dhcp.not-dhcp", offset, `no message has type ${bytes[0]}`);
  if (type === undefined || bytes.length < MESSAGE_HEADER) {
    throw peerFault("dhcp.truncated", offset + bytes.length, "the message ends before its header of 4 bytes does");
  }
  return { kind: "message", type, transactionId: readUint(bytes, 1, 3), ...OPTIONS.read(frame(bytes, MESSAGE_HEADER, offset)) };
}

function decodeRelay(
  bytes: Uint8Array,
  offset: number,
): { relay: Omit<Relay, "message">; message: Uint8Array; messageOffset: number } {
  if (bytes.length < RELAY_HEADER) {
    throw peerFault("dhcp.truncated", offset + bytes.length, "the relay's message ends before its header of 34 bytes does");
  }
  const framed = frame(bytes, RELAY_HEADER, offset);
  const messages = framed.filter(({ code }) => code === RELAY_MESSAGE);
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    throw peerFault("dhcp.malformed", offset, `a relay passes ${messages.length} messages on, not one`);
  }
  const relay = {
    kind: "relay",
    type: bytes[0] === RELAY_FORWARD ? "relay-forward" : "relay-reply",
    hopCount: bytes[1]!,
    linkAddress: formatIpv6(bytes, 2),
    peerAddress: formatIpv6(bytes, 18),
    ...RELAY_OPTIONS.read(framed.filter(({ code }) => code !== RELAY_MESSAGE)),
  } as const;
  return { relay, message: message.value, messageOffset: message.valueOffset };
}
