import { concat } from "#std/bytes.ts";
import { ipv6, uint } from "../codec.ts";
import { callerFault } from "../fault.ts";
import { MESSAGE_TYPES, RELAY_FORWARD, RELAY_MESSAGE, RELAY_REPLY } from "./constants.ts";
import { writeOption } from "./frame.ts";
import { OPTIONS, RELAY_OPTIONS } from "./option.ts";
import type { Message, Packet, Relay } from "./packet.ts";

/** The UDP payload of `packet`. A `caller` Fault, `dhcp.unencodable` or `dhcp.no-room`, names what cannot be written. */
export function encode(packet: Packet): Uint8Array {
  return packet.kind === "relay" ? encodeRelay(packet) : encodeMessage(packet);
}

function encodeMessage({ type, transactionId, options, others }: Message): Uint8Array {
  const id = uint(4).write(transactionId);
  if (id === undefined || id[0] !== 0) throw callerFault("dhcp.unencodable", "transactionId", "not a number of 24 bits");
  return concat([
    Uint8Array.of(MESSAGE_TYPES.indexOf(type) + 1),
    id.subarray(1),
    ...OPTIONS.write(options, others).map(writeOption),
  ]);
}

function encodeRelay({ type, hopCount, linkAddress, peerAddress, message, options, others = [] }: Relay): Uint8Array {
  const [hops, link, peer] = [uint(1).write(hopCount), ipv6.write(linkAddress), ipv6.write(peerAddress)];
  if (hops === undefined) throw callerFault("dhcp.unencodable", "hopCount", "not a number of 8 bits");
  if (link === undefined || peer === undefined) {
    throw callerFault("dhcp.unencodable", link === undefined ? "linkAddress" : "peerAddress", "not an IPv6 address");
  }
  if (others.some(({ code }) => code === RELAY_MESSAGE))
    throw callerFault("dhcp.unencodable", "others", "the message has its own field");
  const inside = { code: RELAY_MESSAGE, value: encode(message) };
  const written = [...RELAY_OPTIONS.write(options, others), inside].map(writeOption);
  return concat([Uint8Array.of(type === "relay-forward" ? RELAY_FORWARD : RELAY_REPLY), hops, link, peer, ...written]);
}
