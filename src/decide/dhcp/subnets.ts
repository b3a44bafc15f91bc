/**
 * The subnets file: what DHCP does in each network. Described with the kit of the resource kinds, so that errors name the path:
 *
 *     subnets:
 *       - subnet: 10.77.0.0/24
 *         mode: server
 *         pools: [10.77.0.50-10.77.0.200]
 *         routers: [10.77.0.1]
 *         reservations: [{ mac: "52:54:00:00:00:01", address: 10.77.0.10, hostname: rack-1 }]
 */
import { parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import { concat, fromHex } from "#std/bytes.ts";
import { parseDuration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import { clone, isObject } from "#std/json.ts";
import { parseUuid } from "#std/uuid.ts";
import type { FieldError, FieldPath } from "#schema/field.ts";
import { invalid, printFieldError } from "#schema/field.ts";
import type { Check, StringField, TypeOf } from "#schema/kit.ts";
import { applyDefaults } from "#schema/default.ts";
import { array, boolean, enumeration, integer, object, string } from "#schema/kit.ts";
import { prune } from "#schema/prune.ts";
import { checkRules } from "#schema/rules.ts";
import { validate } from "#schema/validate.ts";
import { OPTIONS } from "#wire/dhcp/option.ts";
import { OPTIONS as OPTIONS_6 } from "#wire/dhcp/v6/option.ts";
import { contains, formatAddress, includes, overlap, parseAddress, parseNetwork, parseRange } from "./range.ts";
import type { Network, Range } from "./range.ts";

/** A text that `parse` understands. */
function parsed(parse: (text: string) => unknown, form: string): StringField {
  return string().check((text, path) => (parse(text) === undefined ? [invalid(path, text, `must be ${form}`)] : []));
}

const address = parsed(parseAddress, "an IP address");
const range = parsed(parseRange, "addresses such as 10.0.0.50-10.0.0.99, one address or a network");
const bytes = parsed(fromHex, "bytes in hexadecimal");

const Reservation = object({
  mac: parsed(parseMac, "a MAC address").doc("The network card, 52:54:00:00:00:01."),
  uuid: parsed(parseUuid, "a UUID").doc("The machine by its SMBIOS UUID, as firmware and iPXE say it."),
  clientId: bytes.doc("DHCP client identifier (option 61 with its type), or DUID of DHCPv6, in hexadecimal."),
  address: address.required().doc("The address it gets, in the subnet."),
  hostname: string().max(253).doc("Its host name."),
}).check((value, path) => {
  const named = [value.mac, value.uuid, value.clientId].filter((each) => each !== undefined).length;
  return named === 1 ? [] : [invalid(path, value.address, "must have one of mac, uuid and clientId")];
});

const Option = object({
  code: integer().min(1).max(65535).required().doc("Number of the option."),
  text: string().doc("Its value as text,"),
  hex: bytes.doc("or as bytes,"),
  addresses: array(address).min(1).doc("or as addresses."),
}).check((value, path) => {
  const given = [value.text, value.hex, value.addresses].filter((each) => each !== undefined).length;
  return given === 1 ? [] : [invalid(path, value.code, "must have one of text, hex and addresses")];
});

const SubnetEntry = object({
  subnet: parsed(parseNetwork, "a network such as 10.0.0.0/24 or fd00::/64").required().doc("The network."),
  interface: string().doc("Only for requests that come in by this interface."),
  mode: enumeration("proxy", "server", "off").doc("What DHCP does here; if absent, what the setting dhcp says."),
  pools: array(range).default([]).doc("Addresses to give away."),
  exclude: array(range).default([]).doc("Addresses of the pools that are in use otherwise."),
  routers: array(address).default([]).doc("Default gateways, the preferred one first."),
  dns: array(address).default([]).doc("DNS servers."),
  domain: string().max(253).doc("Domain name."),
  search: array(string().max(253)).default([]).doc("Domains to search."),
  ntp: array(address).default([]).doc("Time servers."),
  mtu: integer().min(68).max(65535).doc("MTU of the link."),
  leaseTime: parsed(leaseDuration, "a duration of at least 1m, such as 12h").default("12h").doc("How long an address is given."),
  boot: boolean().default(true).doc("Whether machines may boot from the network here."),
  reservations: array(Reservation).default([]).doc("Addresses for certain machines."),
  options: array(Option).default([]).doc("More options to give, also instead of those above."),
}).check(consistent);

type Entry = TypeOf<typeof SubnetEntry>;

const SubnetsFile = object({ subnets: array(SubnetEntry).required().doc("The networks.") }).check((value, path) => {
  return value.subnets.flatMap((entry, i) => {
    const other = value.subnets.findIndex((each) => each.subnet === entry.subnet && each.interface === entry.interface);
    return other < i
      ? [invalid(path.child("subnets").index(i).child("subnet"), entry.subnet, `is subnets[${other}] already`)]
      : [];
  });
});

export interface Reservation {
  /** `52:54:00:00:00:01` */
  readonly mac?: string;
  /** Lower case. */
  readonly uuid?: string;
  /** Lower-case hexadecimal. */
  readonly clientId?: string;
  readonly address: string;
  readonly hostname?: string;
}

export interface Subnet {
  /** As it is written: `10.77.0.0/24`. */
  readonly name: string;
  readonly network: Network;
  readonly interface?: string;
  readonly mode?: "proxy" | "server" | "off";
  readonly pools: readonly Range[];
  readonly excluded: readonly Range[];
  readonly routers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly domainName?: string;
  readonly domainSearch: readonly string[];
  readonly ntpServers: readonly string[];
  readonly mtu?: number;
  /** Milliseconds. */
  readonly leaseTime: number;
  readonly mayBoot: boolean;
  readonly reservations: readonly Reservation[];
  readonly options: readonly { readonly code: number; readonly value: Uint8Array }[];
}

/**
 * Of the file's content as YAML or JSON read it; undefined (an empty file) is no subnets. Fault `decide.subnets` names every
 * field that is wrong: `subnets[0].pools[1]: Invalid value: "x": must be …`.
 */
export function readSubnets(content: unknown): Subnet[] {
  if (content === undefined || content === null) return [];
  if (!isObject(content)) throw refused(["it is not an object with a list of subnets"]);
  const file = clone(content);
  const unknown = prune(file, SubnetsFile.schema).map((path) => `${path}: unknown field`);
  applyDefaults(file, SubnetsFile.schema);
  const wrong = validate(file, SubnetsFile.schema);
  // What stands in the fields is judged when all fields are there and of their type.
  const errors = wrong.length > 0 ? wrong : checkRules(SubnetsFile, file, undefined);
  if (unknown.length + errors.length > 0) throw refused([...unknown, ...errors.map(printFieldError)]);
  return (file as unknown as TypeOf<typeof SubnetsFile>).subnets.map(subnetOf);
}

function refused(problems: readonly string[]): Fault {
  return new Fault("decide.subnets", `the subnets file is wrong: ${problems.join("; ")}`, { fault: "caller", retry: "never" });
}

function leaseDuration(text: string): number | undefined {
  const duration = parseDuration(text);
  return duration !== undefined && duration >= 60_000 && duration <= 0xffffffff * 1000 ? duration : undefined;
}

/** The checks that need more than one field, of those whose own are right. */
function consistent(...[entry, path]: Parameters<Check<Entry>>): FieldError[] {
  const network = parseNetwork(entry.subnet);
  if (network === undefined) return [];
  const errors: FieldError[] = [];
  const inside = (texts: readonly string[] | undefined, name: string): void => {
    for (const [i, text] of (texts ?? []).entries()) {
      const found = parseRange(text);
      if (found !== undefined && !contains(network, found))
        errors.push(invalid(path.child(name).index(i), text, `is not in ${entry.subnet}`));
    }
  };
  inside(entry.pools, "pools");
  inside(entry.exclude, "exclude");
  for (const name of ["routers", "dns", "ntp"] as const) {
    for (const [i, text] of (entry[name] ?? []).entries()) {
      if (parseAddress(text) !== undefined && parseAddress(text)!.family !== network.family) {
        errors.push(invalid(path.child(name).index(i), text, `is no IPv${network.family} address`));
      }
    }
  }
  const taken = new Map<string, number>();
  for (const [i, { address: text }] of (entry.reservations ?? []).entries()) {
    const at = path.child("reservations").index(i).child("address");
    const found = parseAddress(text);
    if (found !== undefined && !includes(network, found)) errors.push(invalid(at, text, `is not in ${entry.subnet}`));
    if (taken.has(text)) errors.push(invalid(at, text, `is reservations[${taken.get(text)}] already`));
    taken.set(text, i);
  }
  const pools = (entry.pools ?? []).map(parseRange);
  for (const [i, pool] of pools.entries()) {
    const other = pools.findIndex((each) => each !== undefined && pool !== undefined && overlap(each, pool));
    if (other >= 0 && other < i)
      errors.push(invalid(path.child("pools").index(i), entry.pools![i], `overlaps with pools[${other}]`));
  }
  errors.push(...optionErrors(entry, network.family, path));
  if (entry.mode === "server" && pools.length === 0 && taken.size === 0) {
    errors.push(invalid(path.child("mode"), entry.mode, "has nothing to give: neither pools nor reservations"));
  }
  return errors;
}

/** Options on which a message rests, and those of the header's making, are not the file's to write. */
const OWN_OPTIONS = {
  4: new Set([50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 82, 97, 175]),
  6: new Set([1, 2, 3, 4, 6, 7, 8, 9, 13, 14, 25]),
} as const;

function optionErrors(entry: Entry, family: 4 | 6, path: FieldPath): FieldError[] {
  return (entry.options ?? []).flatMap((option, i): FieldError[] => {
    const at = path.child("options").index(i);
    const { code } = option;
    if (family === 4 && code > 254) return [invalid(at.child("code"), code, "DHCPv4 has codes up to 254")];
    if (OWN_OPTIONS[family].has(code)) return [invalid(at.child("code"), code, "is written by the server itself")];
    const value = optionValue(option);
    if (value === undefined) return [];
    const table = family === 4 ? OPTIONS : OPTIONS_6;
    const problem = table.read([{ code, value, offset: 0, valueOffset: 0 }]).malformed?.[0]?.problem;
    return problem === undefined ? [] : [invalid(at, code, problem)];
  });
}

function subnetOf(entry: Entry): Subnet {
  const network = parseNetwork(entry.subnet)!;
  const ranges = (texts: readonly string[]): Range[] => texts.map((text) => parseRange(text)!);
  return {
    name: entry.subnet,
    network,
    ...(entry.interface === undefined ? {} : { interface: entry.interface }),
    ...(entry.mode === undefined ? {} : { mode: entry.mode }),
    pools: ranges(entry.pools!),
    excluded: [...ranges(entry.exclude!), ...unusable(network)],
    routers: entry.routers!,
    dnsServers: entry.dns!,
    ...(entry.domain === undefined ? {} : { domainName: entry.domain }),
    domainSearch: entry.search!,
    ntpServers: entry.ntp!,
    ...(entry.mtu === undefined ? {} : { mtu: entry.mtu }),
    leaseTime: leaseDuration(entry.leaseTime!)!,
    mayBoot: entry.boot!,
    reservations: entry.reservations!.map(reservationOf),
    options: entry.options!.map((option) => ({ code: option.code, value: optionValue(option)! })),
  };
}

/** The network's own address and its broadcast address; the address of all routers in IPv6 (RFC 4291 §2.6.1). */
function unusable({ family, prefix, first, last }: Network): Range[] {
  const one = (value: bigint): Range => ({ family, first: value, last: value });
  if (family === 6) return prefix < 127 ? [one(first)] : [];
  return prefix < 31 ? [one(first), one(last)] : [];
}

function reservationOf({
  mac,
  uuid,
  clientId,
  address: text,
  hostname,
}: NonNullable<Entry["reservations"]>[number]): Reservation {
  return {
    ...(mac === undefined ? {} : { mac: mac.toLowerCase().replaceAll("-", ":") }),
    ...(uuid === undefined ? {} : { uuid: uuid.toLowerCase() }),
    ...(clientId === undefined ? {} : { clientId: clientId.toLowerCase() }),
    address: formatAddress(parseAddress(text)!),
    ...(hostname === undefined ? {} : { hostname }),
  };
}

/** Undefined where the entry is wrong: its own check says so. */
function optionValue({ text, hex, addresses }: NonNullable<Entry["options"]>[number]): Uint8Array | undefined {
  if (text !== undefined) return new TextEncoder().encode(text);
  if (hex !== undefined) return fromHex(hex);
  const parts = addresses?.map((each) => parseIpv4(each) ?? parseIpv6(each)).filter((each) => each !== undefined);
  return parts && concat(parts);
}
