/** Which of the addresses that a machine reports become its Server's. */
import { includes, networkOf, parseAddress } from "../dhcp/range.ts";
import type { Range } from "../dhcp/range.ts";

export interface ServerAddress {
  /** InternalIP, ExternalIP, InternalDNS, ExternalDNS or Hostname (core/v1 NodeAddressType). */
  readonly type: string;
  readonly address: string;
}

const IP_TYPES: ReadonlySet<string> = new Set(["InternalIP", "ExternalIP"]);
const NAME_TYPES: ReadonlySet<string> = new Set(["InternalDNS", "ExternalDNS", "Hostname"]);
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/** At which nobody reaches the machine from elsewhere: this host, link-local, loopback, multicast and reserved (RFC 6890). */
const NOWHERE = networksOf(["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8"]);

/** Networks of CIDR texts; bits after the prefix do not matter, what is no network is passed over. */
export function networksOf(texts: readonly string[]): Range[] {
  return texts.flatMap((text) => {
    const [base = "", prefix = ""] = text.split("/");
    const address = parseAddress(base);
    return address === undefined || !/^\d{1,3}$/.test(prefix) ? [] : [networkOf(address, Number(prefix))];
  });
}

/** What is wrong with an address, as words after the field's name; undefined when it is well-formed. */
export function addressProblem({ type, address }: ServerAddress): string | undefined {
  if (IP_TYPES.has(type)) return parseAddress(address) === undefined ? `"${address}" is no IP address` : undefined;
  if (NAME_TYPES.has(type)) return NAME.test(address) ? undefined : `"${address}" is no host name`;
  return `type "${type}" is none of ${[...IP_TYPES, ...NAME_TYPES].join(", ")}`;
}

/**
 * The Server's addresses after a report: the types that it names are replaced, others are kept, in the order in which they came. Addresses
 * that nobody can use and those in `filtered` are left out. The same list (not a copy) when nothing changes.
 */
export function addressesAfter(
  current: readonly ServerAddress[],
  reported: readonly ServerAddress[],
  filtered: readonly Range[],
): readonly ServerAddress[] {
  const wanted = reported.filter(({ type, address }, i) => {
    const isRepeated = reported.findIndex((other) => other.type === type && other.address === address) < i;
    const parsed = IP_TYPES.has(type) ? parseAddress(address) : undefined;
    return !isRepeated && (parsed === undefined || ![...NOWHERE, ...filtered].some((range) => includes(range, parsed)));
  });
  const types = new Set(wanted.map(({ type }) => type));
  const changed = [...types].filter((type) => !sameSet(ofType(current, type), ofType(wanted, type)));
  if (changed.length === 0) return current;
  return [
    ...current.filter(({ type }) => !changed.includes(type)),
    ...wanted.filter(({ type }) => changed.includes(type)).map(({ type, address }) => ({ type, address })),
  ];
}

function ofType(addresses: readonly ServerAddress[], wanted: string): string[] {
  return addresses.flatMap(({ type, address }) => (type === wanted ? [address] : []));
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
