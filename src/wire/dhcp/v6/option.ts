/** Which option is which field of {@link Options}, {@link RelayOptions} and the identity associations. */
import { formatIpv6 } from "#std/address.ts";
import { concat, fromLatin1, readUint, toLatin1, uintBytes } from "#std/bytes.ts";
import type { Codec } from "../codec.ts";
import { every, ipv6, lengthPrefixed, list, networkInterface, raw, seconds, text, uint } from "../codec.ts";
import { domainList } from "../domain.ts";
import { optionSet } from "../option-set.ts";
import type { OptionSet } from "../option-set.ts";
import type { RawOption } from "../packet.ts";
import { duid } from "./duid.ts";
import { frameValue, writeOption } from "./frame.ts";
import type { Ia, IaAddress, IaOptions, IaPrefix, LeaseOptions, Options, RelayOptions, Status, TemporaryIa } from "./packet.ts";
import type { VendorClass, VendorOptions } from "./packet.ts";

const status: Codec<Status> = {
  form: "a status",
  read: (bytes) => (bytes.length >= 2 ? { code: readUint(bytes, 0, 2), message: toLatin1(bytes.subarray(2)) } : undefined),
  write: ({ code, message }) => joined([uint(2).write(code), fromLatin1(message)]),
};

const flag: Codec<true> = {
  form: "empty",
  read: (bytes) => (bytes.length === 0 ? true : undefined),
  write: () => new Uint8Array(),
};

/** RFC 8415 §21.9: 0xffff says "or longer". */
const hundredths: Codec<number> = {
  form: "a time in hundredths of a second of 16 bits",
  read: (bytes) => (bytes.length === 2 ? readUint(bytes, 0, 2) * 10 : undefined),
  write: (value) => (value >= 0 ? uintBytes(Math.min(Math.floor(value / 10), 0xffff), 2) : undefined),
};

const vendorClass: Codec<VendorClass> = {
  form: "a vendor class",
  read(bytes, offset) {
    const classes = lengthPrefixed(text, 2, 1).read(bytes.subarray(4), offset + 4);
    return classes === undefined ? undefined : { enterprise: readUint(bytes, 0, 4), classes };
  },
  write: ({ enterprise, classes }) => joined([uint(4).write(enterprise), lengthPrefixed(text, 2, 1).write(classes)]),
};

const vendorOptions: Codec<VendorOptions> = {
  form: "a vendor's options",
  read(bytes, offset) {
    const framed = bytes.length >= 4 ? frameValue(bytes, 4, offset) : undefined;
    const options = framed?.map(({ code, value }) => ({ code, value: value.slice() }));
    return options === undefined ? undefined : { enterprise: readUint(bytes, 0, 4), options };
  },
  write: ({ enterprise, options }) => joined([uint(4).write(enterprise), ...options.map(writeOption)]),
};

interface Nested<O> {
  readonly options: O;
  readonly others?: readonly RawOption[];
}

/** The options from `from` to the end of `bytes`; undefined when one of them has no place or value there. */
function readNested<O>(set: OptionSet<O>, bytes: Uint8Array, from: number, offset: number): Nested<O> | undefined {
  const framed = bytes.length >= from ? frameValue(bytes, from, offset) : undefined;
  const read = framed && set.read(framed);
  return read === undefined || read.malformed !== undefined ? undefined : read;
}

function writeNested<O>(set: OptionSet<O>, { options, others }: Nested<O>): Uint8Array {
  return concat(set.write(options, others).map(writeOption));
}

function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const all = every(parts);
  return all && concat(all);
}

const LEASE_OPTIONS = optionSet<LeaseOptions>({ status: { code: 13, codec: status } });

const iaAddress: Codec<IaAddress> = {
  form: "an address with its lifetimes",
  read(bytes, offset) {
    const nested = readNested(LEASE_OPTIONS, bytes, 24, offset);
    return nested && { address: formatIpv6(bytes), ...lifetimes(bytes, 16), ...nested };
  },
  write(value) {
    const times = [value.preferredLifetime, value.validLifetime].map(seconds.write);
    return joined([ipv6.write(value.address), ...times, writeNested(LEASE_OPTIONS, value)]);
  },
};

const iaPrefix: Codec<IaPrefix> = {
  form: "a prefix with its lifetimes",
  read(bytes, offset) {
    const nested = readNested(LEASE_OPTIONS, bytes, 25, offset);
    if (nested === undefined || bytes[8]! > 128) return undefined;
    return { prefix: formatIpv6(bytes, 9), prefixLength: bytes[8]!, ...lifetimes(bytes, 0), ...nested };
  },
  write(value) {
    if (value.prefixLength > 128) return undefined;
    const times = [value.preferredLifetime, value.validLifetime].map(seconds.write);
    return joined([...times, uint(1).write(value.prefixLength), ipv6.write(value.prefix), writeNested(LEASE_OPTIONS, value)]);
  },
};

function lifetimes(bytes: Uint8Array, at: number): { preferredLifetime: number; validLifetime: number } {
  return { preferredLifetime: time(bytes, at), validLifetime: time(bytes, at + 4) };
}

function time(bytes: Uint8Array, at: number): number {
  return seconds.read(bytes.subarray(at, at + 4), at)!;
}

const IA_OPTIONS = optionSet<IaOptions>({
  addresses: { code: 5, codec: iaAddress, isRepeated: true },
  prefixes: { code: 26, codec: iaPrefix, isRepeated: true },
  status: { code: 13, codec: status },
});

const ia: Codec<Ia> = {
  form: "an identity association",
  read(bytes, offset) {
    const nested = readNested(IA_OPTIONS, bytes, 12, offset);
    return nested && { id: readUint(bytes, 0, 4), t1: time(bytes, 4), t2: time(bytes, 8), ...nested };
  },
  write: (value) =>
    joined([uint(4).write(value.id), seconds.write(value.t1), seconds.write(value.t2), writeNested(IA_OPTIONS, value)]),
};

const temporaryIa: Codec<TemporaryIa> = {
  form: "an identity association for temporary addresses",
  read(bytes, offset) {
    const nested = readNested(IA_OPTIONS, bytes, 4, offset);
    return nested && { id: readUint(bytes, 0, 4), ...nested };
  },
  write: (value) => joined([uint(4).write(value.id), writeNested(IA_OPTIONS, value)]),
};

export const OPTIONS = optionSet<Options>({
  clientId: { code: 1, codec: duid, isVital: true },
  serverId: { code: 2, codec: duid, isVital: true },
  iaNa: { code: 3, codec: ia, isVital: true, isRepeated: true },
  iaTa: { code: 4, codec: temporaryIa, isVital: true, isRepeated: true },
  requestedOptions: { code: 6, codec: list(uint(2), 2) },
  preference: { code: 7, codec: uint(1) },
  elapsedTime: { code: 8, codec: hundredths },
  serverUnicast: { code: 12, codec: ipv6 },
  status: { code: 13, codec: status, isVital: true },
  rapidCommit: { code: 14, codec: flag },
  userClasses: { code: 15, codec: lengthPrefixed(text, 2, 1) },
  vendorClasses: { code: 16, codec: vendorClass, isRepeated: true },
  vendorOptions: { code: 17, codec: vendorOptions, isRepeated: true },
  reconfigureAccept: { code: 20, codec: flag },
  dnsServers: { code: 23, codec: list(ipv6, 16) },
  domainSearch: { code: 24, codec: domainList(false) },
  iaPd: { code: 25, codec: ia, isVital: true, isRepeated: true },
  informationRefreshTime: { code: 32, codec: seconds },
  bootFileUrl: { code: 59, codec: text },
  bootFileParameters: { code: 60, codec: lengthPrefixed(text, 2, 1) },
  clientArchitectures: { code: 61, codec: list(uint(2), 2) },
  clientInterface: { code: 62, codec: networkInterface },
  maxSolicitTimeout: { code: 82, codec: seconds },
  maxInformationTimeout: { code: 83, codec: seconds },
});

export const RELAY_OPTIONS = optionSet<RelayOptions>({
  interfaceId: { code: 18, codec: raw },
  remoteId: { code: 37, codec: raw },
  subscriberId: { code: 38, codec: raw },
  clientLinkLayer: { code: 79, codec: raw },
});
