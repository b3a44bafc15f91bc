/** Which option is which field of {@link Options}. */
import { concat } from "#std/bytes.ts";
import type { Codec } from "./codec.ts";
import { ipv4, lengthPrefixed, list, networkInterface, raw, routes, seconds, text, uint, word } from "./codec.ts";
import { MESSAGE_TYPES, RELAY_AGENT } from "./constants.ts";
import { domainList } from "./domain.ts";
import { frameValue, MAX_VALUE_LENGTH, writeOption } from "./frame.ts";
import { optionSet } from "./option-set.ts";
import type { Options, RawOption, UserClass } from "./packet.ts";

const addresses = list(ipv4, 4);

/** RFC 3004 §4, a length before each class; a text that is no such list is one class. */
const userClass: Codec<UserClass> = {
  form: "a user class",
  read(bytes, offset) {
    const classes = lengthPrefixed(text, 1, 1).read(bytes, offset);
    if (classes !== undefined) return { classes, isBare: false };
    const bare = text.read(bytes, offset);
    return bare === undefined ? undefined : { classes: [bare], isBare: true };
  },
  write({ classes, isBare }) {
    if (!isBare) return lengthPrefixed(text, 1, 1).write(classes);
    return classes.length === 1 ? text.write(classes[0]!) : undefined;
  },
};

/** A type, which has only ever been 0, and sixteen bytes. Firmware without a UUID sends the option empty: then it is malformed. */
const clientUuid: Codec<Uint8Array> = {
  form: "a UUID after a zero byte",
  read: (bytes) => (bytes.length === 17 && bytes[0] === 0 ? bytes.slice(1) : undefined),
  write: (value) => (value.length === 16 ? concat([Uint8Array.of(0), value]) : undefined),
};

function writeSubOptions(subOptions: readonly RawOption[]): Uint8Array | undefined {
  return subOptions.every(({ value }) => value.length <= MAX_VALUE_LENGTH) ? concat(subOptions.map(writeOption)) : undefined;
}

const relayAgent: Codec<readonly RawOption[]> = {
  form: "a relay agent's sub-options",
  read: (bytes) => frameValue(bytes, false),
  write: writeSubOptions,
};

const ipxe: Codec<readonly RawOption[]> = {
  form: "iPXE's options",
  read: (bytes) => frameValue(bytes, true),
  write: writeSubOptions,
};

export const OPTIONS = optionSet<Options>({
  subnetMask: { code: 1, codec: ipv4 },
  routers: { code: 3, codec: addresses },
  dnsServers: { code: 6, codec: addresses },
  hostName: { code: 12, codec: text },
  domainName: { code: 15, codec: text },
  interfaceMtu: { code: 26, codec: uint(2) },
  broadcastAddress: { code: 28, codec: ipv4 },
  ntpServers: { code: 42, codec: addresses },
  vendorSpecific: { code: 43, codec: raw },
  requestedAddress: { code: 50, codec: ipv4, isVital: true },
  leaseTime: { code: 51, codec: seconds, isVital: true },
  messageType: { code: 53, codec: word(MESSAGE_TYPES, 1, "a message type"), isVital: true },
  serverId: { code: 54, codec: ipv4, isVital: true },
  parameterRequestList: { code: 55, codec: list(uint(1), 1) },
  message: { code: 56, codec: text },
  maxMessageSize: { code: 57, codec: uint(2) },
  renewalTime: { code: 58, codec: seconds },
  rebindingTime: { code: 59, codec: seconds },
  vendorClass: { code: 60, codec: text },
  clientId: { code: 61, codec: raw },
  tftpServerName: { code: 66, codec: text },
  bootFile: { code: 67, codec: text },
  userClass: { code: 77, codec: userClass },
  relayAgent: { code: RELAY_AGENT, codec: relayAgent },
  clientArchitectures: { code: 93, codec: list(uint(2), 2) },
  clientInterface: { code: 94, codec: networkInterface },
  clientUuid: { code: 97, codec: clientUuid },
  domainSearch: { code: 119, codec: domainList(true) },
  classlessRoutes: { code: 121, codec: routes },
  tftpServers: { code: 150, codec: addresses },
  ipxe: { code: 175, codec: ipxe },
});
