/**
 * Which Server a machine is. Upstream took the SMBIOS UUID for it; cheap boards all have the same one. Here a UUID that says nothing, or
 * that another machine has, gives way to a name derived from serial number and MAC addresses, and people are told.
 *
 * Everything errs towards one Server too many: two machines that share a Server could be wiped for each other.
 */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { parseMac } from "#std/address.ts";
import { fromHex } from "#std/bytes.ts";
import { formatUuid } from "#std/uuid.ts";
import { isPlaceholder, uuidKind } from "#wire/smbios/identity.ts";

/** What a machine says of itself, all of it or a part: iPXE knows one MAC address, the agent all. */
export interface MachineFacts {
  /** SMBIOS UUID, either case. */
  readonly uuid?: string | undefined;
  /** `52:54:00:12:34:56`, in any order; others than Ethernet's are passed over. */
  readonly macs: readonly string[];
  /** Serial number of the system (SMBIOS type 1). */
  readonly serial?: string | undefined;
}

export interface Machine {
  /** Of the Server it is, or will be. */
  readonly name: string;
  /** Absent: not registered yet. */
  readonly server?: Server;
  /** Why its name is not its UUID, for people. */
  readonly note?: string;
}

/** The part of `Inventory` that is asked. */
export interface KnownServers {
  server(name: string): Server | undefined;
  serversByMac(mac: string): readonly Server[];
}

/** SHA-256 of a text in hexadecimal. */
export type Digest = (text: string) => string;

/**
 * The machine of these facts, or undefined when they hold nothing that tells it from others. The same function answers for boot scripts
 * and for registration, so that both speak of the same Server.
 */
export function machineOf(facts: MachineFacts, known: KnownServers, digest: Digest): Machine | undefined {
  const uuid = facts.uuid?.toLowerCase() ?? "";
  const macs = macsOf(facts.macs);
  const kind = uuidKind(uuid);
  const registered = macs.flatMap((mac) => known.serversByMac(mac)).find((server) => isSameMachine(server, facts));
  const namesake = kind === "own" ? known.server(uuid) : undefined;
  const server = registered ?? (namesake !== undefined && isSameMachine(namesake, facts) ? namesake : undefined);
  const derived = derivedNames(facts.serial, macs, digest);
  const name =
    server?.metadata.name ??
    (kind === "own" && namesake === undefined ? uuid : derived.find((each) => known.server(each) === undefined));
  if (name === undefined) return undefined;
  const why = kind === "own" ? `another machine is registered with its UUID ${uuid}` : `its UUID ${WORTHLESS[kind](uuid)}`;
  return {
    name,
    ...(server === undefined ? {} : { server }),
    ...(name === uuid ? {} : { note: `named by serial number and MAC address, because ${why}` }),
  };
}

const WORTHLESS = {
  absent: () => "is missing",
  unset: () => "was never set",
  placeholder: (uuid: string) => `${uuid} is a placeholder that many boards have`,
  malformed: (uuid: string) => (uuid === "" ? "is missing" : "is malformed"),
} as const;

/**
 * Whether a Server's record is of the machine of these facts. A UUID of its own and one network interface in common will do. Without
 * such a UUID, serial numbers must not differ and most interfaces must be the same: a card or a dongle moves from machine to machine.
 */
export function isSameMachine(server: Server, facts: MachineFacts): boolean {
  const { system, network } = server.spec?.hardware ?? {};
  const uuid = facts.uuid?.toLowerCase() ?? "";
  const recorded = macsOf(network?.interfaces?.map(({ mac = "" }) => mac) ?? []);
  const reported = macsOf(facts.macs);
  const shared = reported.filter((mac) => recorded.includes(mac)).length;
  if (uuidKind(uuid) === "own") {
    if ((system?.uuid || (server.metadata.name ?? "")).toLowerCase() !== uuid) return false;
    // A Server that was made by hand, or for v1alpha1, has no interfaces on record.
    return shared > 0 || recorded.length === 0 || reported.length === 0;
  }
  if (uuidKind(system?.uuid ?? "") === "own") return false;
  const [mine, its] = [ownSerial(facts.serial), ownSerial(system?.serialNumber)];
  if (mine !== undefined && its !== undefined && mine !== its) return false;
  return 2 * shared > Math.min(recorded.length, reported.length);
}

/** UUIDs of version 8 (RFC 9562 §5.8), the first to be preferred; none where there is nothing to derive from. */
function derivedNames(serial: string | undefined, macs: readonly string[], digest: Digest): string[] {
  const own = ownSerial(serial);
  if (own === undefined && macs.length === 0) return [];
  const name = (parts: readonly string[]): string => {
    const bytes = fromHex(digest(JSON.stringify(["sidero machine", own ?? null, ...parts])))!.subarray(0, 16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x80;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return formatUuid(bytes);
  };
  return [name(macs.slice(0, 1)), name(macs)];
}

function ownSerial(serial = ""): string | undefined {
  const text = serial.trim();
  return isPlaceholder(text) ? undefined : text;
}

/** Canonical, sorted and without repetitions; group addresses and zero belong to nobody. */
function macsOf(macs: readonly string[]): string[] {
  const isOwn = (mac: string): boolean => {
    const bytes = parseMac(mac);
    return bytes !== undefined && (bytes[0]! & 1) === 0 && bytes.some((byte) => byte !== 0);
  };
  const canonical = macs.filter(isOwn).map((mac) => mac.toLowerCase().replaceAll("-", ":"));
  return [...new Set(canonical)].toSorted();
}
