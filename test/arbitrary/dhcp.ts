/** Random DHCP packets that the wire has a form for, each in the one form that decoding gives. */
import fc from "fast-check";
import { formatIpv4, formatIpv6 } from "#std/address.ts";
import type { Options, Packet, RawOption } from "#wire/dhcp/packet.ts";
import { MESSAGE_TYPES } from "#wire/dhcp/constants.ts";
import type { Duid, Ia, IaAddress, IaPrefix, Message, Packet as Packet6, Relay, Status } from "#wire/dhcp/v6/packet.ts";
import { MESSAGE_TYPES as MESSAGE_TYPES_6 } from "#wire/dhcp/v6/constants.ts";

type Possible<T> = { readonly [Name in keyof T]-?: fc.Arbitrary<NonNullable<T[Name]>> };

/** All of the `required` fields and any of the `optional` ones, as plain objects: deepEqual compares prototypes. */
function record<R extends object, O extends object = object>(
  required: Possible<R>,
  optional?: Possible<O>,
): fc.Arbitrary<R & Partial<O>> {
  const requiredKeys = Object.keys(required);
  return fc.record({ ...required, ...optional }, { requiredKeys, noNullPrototype: true } as object) as fc.Arbitrary<
    R & Partial<O>
  >;
}

/** Any of the fields, none of them undefined. */
function someOf<T extends object>(fields: Possible<T>): fc.Arbitrary<T> {
  return record<object, T>({}, fields) as fc.Arbitrary<T>;
}

export function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  // Plain Uint8Arrays, whatever fast-check makes them of: deepEqual compares prototypes.
  return fc.array(fc.nat(255), { minLength, maxLength, size: "max" }).map((values) => Uint8Array.from(values));
}

const ipv4 = bytes(4, 4).map((value) => formatIpv4(value));
const ipv6 = fc.tuple(bytes(16, 16), fc.nat(16), fc.nat(16)).map(([value, from, to]) => formatIpv6(value.fill(0, from, to)));
const uint8 = fc.nat(0xff);
const uint16 = fc.nat(0xffff);
const uint32 = fc.nat(0xffffffff);
const seconds = fc.oneof(
  fc.constant(Infinity),
  fc.nat(0xfffffffe).map((value) => value * 1000),
);
/** The bytes that trip: the first and last of a printable range, marks of the framing, but no NUL, which ends or is cut. */
const character = fc
  .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.constantFrom(1, 0x7f, 0x80, 0xfe, 0xff))
  .map((code) => String.fromCharCode(code));

function text(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: character, minLength, maxLength, size: "max" });
}

function listOf<T>(item: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength });
}

const domainName = listOf(fc.stringMatching(/^[a-z_][a-z0-9-]{0,8}$/), 4).map((labels) => labels.join("."));
const networkInterface = record({ type: uint8, major: uint8, minor: uint8 });

const route = fc.tuple(bytes(4, 4), fc.nat(32), ipv4).map(([network, prefixLength, router]) => {
  const mask = prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
  const masked = network.map((byte, i) => byte & (mask >>> (24 - 8 * i)));
  return { destination: formatIpv4(masked), prefixLength, router };
});

/** A bare class begins with a letter, so that no list can be read in it. */
const userClass = fc.oneof(
  listOf(text(1, 20), 3).map((classes) => ({ classes, isBare: false })),
  fc.constantFrom("iPXE", "MSFT 5.0", "zz").map((name) => ({ classes: [name], isBare: true })),
);

function rawOptions(codes: fc.Arbitrary<number>, maxLength: number): fc.Arbitrary<RawOption[]> {
  return fc.array(record({ code: codes, value: bytes(0, maxLength) }), { minLength: 1, maxLength: 4 });
}

export const options: fc.Arbitrary<Options> = someOf<Options>({
  subnetMask: ipv4,
  routers: listOf(ipv4, 3),
  dnsServers: listOf(ipv4, 3),
  hostName: text(1, 30),
  domainName: text(1, 30),
  interfaceMtu: uint16,
  broadcastAddress: ipv4,
  ntpServers: listOf(ipv4, 2),
  vendorSpecific: bytes(0, 60),
  requestedAddress: ipv4,
  leaseTime: seconds,
  messageType: fc.constantFrom(...MESSAGE_TYPES),
  serverId: ipv4,
  parameterRequestList: listOf(uint8, 30),
  message: text(1, 30),
  maxMessageSize: uint16,
  renewalTime: seconds,
  rebindingTime: seconds,
  vendorClass: text(1, 40),
  clientId: bytes(0, 20),
  tftpServerName: text(1, 30),
  bootFile: fc.oneof(text(1, 60), text(250, 320)),
  userClass,
  relayAgent: rawOptions(uint8, 20),
  clientArchitectures: listOf(uint16, 3),
  clientInterface: networkInterface,
  clientUuid: bytes(16, 16),
  domainSearch: listOf(domainName, 3),
  classlessRoutes: listOf(route, 3),
  tftpServers: listOf(ipv4, 2),
  ipxe: rawOptions(fc.integer({ min: 1, max: 254 }), 20),
});

/** Codes that have no name, in order and once each, as decoding gives them. */
const others = fc
  .uniqueArray(record({ code: fc.constantFrom(2, 17, 80, 125, 208, 254), value: fc.oneof(bytes(0, 30), bytes(250, 520)) }), {
    selector: ({ code }) => code,
    minLength: 1,
    maxLength: 3,
  })
  .map((list) => list.toSorted((a, b) => a.code - b.code));

export const packet: fc.Arbitrary<Packet> = record(
  {
    op: fc.constantFrom("request" as const, "reply" as const),
    htype: uint8,
    hops: uint8,
    xid: uint32,
    secs: uint16,
    flags: uint16,
    ciaddr: ipv4,
    yiaddr: ipv4,
    siaddr: ipv4,
    giaddr: ipv4,
    chaddr: fc.oneof(bytes(6, 6), bytes(0, 16)),
    sname: fc.oneof(fc.constant(""), text(0, 63)),
    file: fc.oneof(fc.constant(""), text(0, 127)),
    options,
  },
  { others },
);

const duid: fc.Arbitrary<Duid> = fc.oneof(
  record({ kind: fc.constant("link-layer-time" as const), htype: uint16, time: uint32, address: bytes(1, 8) }),
  record({ kind: fc.constant("enterprise" as const), enterprise: uint32, identifier: bytes(1, 20) }),
  record({ kind: fc.constant("link-layer" as const), htype: uint16, address: bytes(1, 8) }),
  record({ kind: fc.constant("uuid" as const), uuid: bytes(16, 16) }),
  record({ kind: fc.constant("other" as const), type: fc.integer({ min: 5, max: 0xffff }), value: bytes(1, 128) }),
);

const status: fc.Arbitrary<Status> = record({ code: uint16, message: text(0, 20) });
const lifetimes = { preferredLifetime: seconds, validLifetime: seconds };
const others6 = rawOptions(fc.constantFrom(11, 19, 39, 65, 65535), 30);

const iaAddress: fc.Arbitrary<IaAddress> = record(
  { address: ipv6, ...lifetimes, options: someOf({ status }) },
  { others: others6 },
);
const iaPrefix: fc.Arbitrary<IaPrefix> = record(
  { prefix: ipv6, prefixLength: fc.nat(128), ...lifetimes, options: someOf({ status }) },
  { others: others6 },
);
const iaOptions = someOf({ addresses: listOf(iaAddress, 2), prefixes: listOf(iaPrefix, 2), status });
const ia: fc.Arbitrary<Ia> = record({ id: uint32, t1: seconds, t2: seconds, options: iaOptions }, { others: others6 });

const message6: fc.Arbitrary<Message> = record(
  {
    kind: fc.constant("message" as const),
    type: fc.constantFrom(...MESSAGE_TYPES_6),
    transactionId: fc.nat(0xffffff),
    options: someOf<Message["options"]>({
      clientId: duid,
      serverId: duid,
      iaNa: listOf(ia, 2),
      iaTa: listOf(record({ id: uint32, options: iaOptions }), 2),
      requestedOptions: listOf(uint16, 8),
      preference: uint8,
      elapsedTime: uint16.map((value) => value * 10),
      serverUnicast: ipv6,
      status,
      rapidCommit: fc.constant(true as const),
      userClasses: listOf(text(1, 20), 3),
      vendorClasses: listOf(record({ enterprise: uint32, classes: listOf(text(1, 40), 2) }), 2),
      vendorOptions: listOf(record({ enterprise: uint32, options: rawOptions(uint16, 20) }), 2),
      reconfigureAccept: fc.constant(true as const),
      dnsServers: listOf(ipv6, 3),
      domainSearch: listOf(domainName, 3),
      iaPd: listOf(ia, 2),
      informationRefreshTime: seconds,
      bootFileUrl: text(1, 300),
      bootFileParameters: listOf(text(1, 40), 3),
      clientArchitectures: listOf(uint16, 3),
      clientInterface: networkInterface,
      maxSolicitTimeout: seconds,
      maxInformationTimeout: seconds,
    }),
  },
  { others: others6 },
);

const relayShell: fc.Arbitrary<Omit<Relay, "message">> = record(
  {
    kind: fc.constant("relay" as const),
    type: fc.constantFrom("relay-forward" as const, "relay-reply" as const),
    hopCount: uint8,
    linkAddress: ipv6,
    peerAddress: ipv6,
    options: someOf<Relay["options"]>({
      interfaceId: bytes(0, 20),
      remoteId: bytes(0, 20),
      subscriberId: bytes(0, 20),
      clientLinkLayer: bytes(0, 10),
    }),
  },
  { others: others6 },
);

export const packet6: fc.Arbitrary<Packet6> = fc
  .tuple(message6, fc.array(relayShell, { maxLength: 4 }))
  .map(([message, relays]) => relays.reduce<Packet6>((inner, relay) => ({ ...relay, message: inner }), message));
