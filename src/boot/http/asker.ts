/** Who asks for a script, from the query of `/ipxe`; and the query with which the same machine asks again. */
import type { Asker } from "#decide/boot/asker.ts";
import { formatMac, parseMac } from "#std/address.ts";
import { formatUuid, parseUuid } from "#std/uuid.ts";

/** Longer than any that machines have; what is longer is cut. */
const LONGEST = 128;

/** What cannot be understood is left out; nothing is refused here. `address` is where the request came from. */
export function askerOf(query: URLSearchParams, address: string): Asker {
  const text = (name: string): string | undefined => query.get(name)?.trim().slice(0, LONGEST) || undefined;
  const uuid = parseUuid(text("uuid") ?? "");
  const mac = parseMac(text("mac") ?? "");
  const [serial, hostname, platform] = [text("serial"), text("hostname"), text("platform")];
  return {
    ...(uuid === undefined ? {} : { uuid: formatUuid(uuid) }),
    ...(mac === undefined ? {} : { mac: formatMac(mac) }),
    ...(serial === undefined ? {} : { serial }),
    ...(hostname === undefined ? {} : { hostname }),
    architecture: query.get("arch") === "arm64" ? "arm64" : "amd64",
    ...(platform === "efi" || platform === "pcbios" ? { platform } : {}),
    address,
  };
}

/** Path and query; what they are made of are characters that mean nothing to iPXE. */
export function targetOf({ uuid, mac, serial, hostname, architecture, platform }: Asker): string {
  const all = { uuid, mac: mac?.replaceAll(":", "-"), hostname, serial, arch: architecture, platform };
  const query = Object.entries(all).map(([name, value]) => (value === undefined ? [] : [`${name}=${escape(value)}`]));
  return `/ipxe?${query.flat().join("&")}`;
}

/** A lone surrogate is no text: nothing of what iPXE sends has one. */
function escape(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}
