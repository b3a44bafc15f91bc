/** A machine as the flight recorder knows it: its names, and the boots it has had. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import { uuidKind } from "#wire/smbios/identity.ts";
import type { Whom } from "../sighting.ts";
import type { Boot } from "./boot.ts";

/** A BootRecord by its name. Of boots that are over and on record, only the name is kept. */
export interface Page {
  readonly record: string;
  boot: Boot | undefined;
}

/** Names of one machine, with the one that was used last at the end. */
export interface Machine {
  server: string | undefined;
  uuid: string | undefined;
  readonly macs: Set<string>;
  readonly addresses: Set<string>;
  /** Oldest first; the last one goes on. */
  pages: Page[];
}

/** Servers as `Inventory` knows them. */
export interface KnownServers {
  server(name: string): Server | undefined;
  serversByMac(mac: string): readonly Server[];
  readonly isComplete: boolean;
}

/** A machine has so many interfaces and addresses at most; those used longest ago are forgotten. */
export const MOST_NAMES = 16;

/** What it is called: by the best that is known of it. */
export function nameOf({ server, uuid, macs, addresses }: Machine): string {
  const [mac] = macs;
  if (server !== undefined) return server;
  if (uuid !== undefined) return uuid;
  if (mac !== undefined) return `mac-${mac.replaceAll(":", "")}`;
  const [address = ""] = addresses;
  return `ip-${address.replace(/^::/, "0::").replace(/::$/, "::0").replaceAll(/[.:]/g, "-")}`;
}

/** The names in a sighting that are worth something, in canonical form. UUIDs that many boards share are none. */
export function namesOf(whom: Whom, known: KnownServers): Whom {
  const mac = macOf(whom.mac);
  const uuid = whom.uuid?.toLowerCase();
  const claimed = uuid !== undefined && isOwn(uuid) ? uuid : undefined;
  const address = addressOf(whom.address);
  const server = serverOf(whom.server, mac, claimed, known);
  // Where the Server is named by a UUID, that is the machine's.
  const own = server !== undefined && isOwn(server) ? server : claimed;
  return {
    ...(server === undefined ? {} : { server }),
    ...(own === undefined ? {} : { uuid: own }),
    ...(mac === undefined ? {} : { mac }),
    ...(address === undefined ? {} : { address }),
  };
}

/** An interface tells more than a UUID, which another machine may have too; but a card may have moved to a machine of another UUID. */
function serverOf(given: string | undefined, mac: string | undefined, uuid: string | undefined, known: KnownServers) {
  if (given !== undefined && isName(given)) return given;
  const [byMac, ...others] = mac === undefined ? [] : known.serversByMac(mac);
  const { name } = byMac?.metadata ?? {};
  if (name !== undefined && others.length === 0 && !(isOwn(name) && uuid !== undefined && uuid !== name)) return name;
  return uuid !== undefined && known.server(uuid) !== undefined ? uuid : undefined;
}

function isOwn(uuid: string): boolean {
  return uuidKind(uuid) === "own";
}

/** As Servers are named; it becomes part of a record's name. */
function isName(text: string): boolean {
  return text.length <= 200 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

function macOf(text = ""): string | undefined {
  const bytes = parseMac(text);
  return bytes === undefined || bytes.every((byte) => byte === 0) ? undefined : formatMac(bytes);
}

function addressOf(text = ""): string | undefined {
  const bytes = parseIpv4(text) ?? parseIpv6(text.split("%")[0]!);
  if (bytes === undefined || bytes.every((byte) => byte === 0 || byte === 255)) return undefined;
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}
