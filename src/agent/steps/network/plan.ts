/**
 * How the machine gets onto the network, from kernel arguments: `ip=` in the kernel's format (Documentation/admin-guide/nfs/nfsroot.rst)
 * with dracut's additions for IPv6, and dracut's `vlan=`, `nameserver=` and `rd.route=` (dracut.cmdline(7)). Without any: DHCP and
 * router advertisements.
 */
import { formatMac, parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import type { Argument } from "../command-line.ts";
import { argumentOf } from "../command-line.ts";

export interface StaticAddress {
  readonly how: "static";
  /** `10.0.0.5/24` */
  readonly cidr: string;
  readonly gateway?: string;
}

export interface NetworkPlan {
  /** The interface the machine booted from; absent: every interface is tried. */
  readonly mac?: string;
  /** Where no MAC address is given, `ip=` may name the interface. */
  readonly device?: string;
  readonly vlan?: number;
  readonly ipv4: { readonly how: "dhcp" | "off" } | StaticAddress;
  /** `auto`: what routers advertise, and what a DHCPv6 server gives. */
  readonly ipv6: { readonly how: "auto" | "dhcp" | "off" } | StaticAddress;
  readonly mtu?: number;
  readonly hostname?: string;
  readonly nameservers: readonly string[];
  readonly routes: readonly { readonly to: string; readonly via: string }[];
  /** Arguments that were passed over, with the reason. */
  readonly problems: readonly string[];
}

type Draft = { -readonly [Key in keyof NetworkPlan]: NetworkPlan[Key] };

const METHODS = new Set([
  "dhcp",
  "on",
  "any",
  "dhcp4",
  "dhcp6",
  "auto6",
  "off",
  "none",
  "both",
  "either6",
  "link-local",
  "static",
  "",
]);

/** Never throws: an argument that makes no sense is named in `problems`, and the machine tries the rest. */
export function networkPlan(line: readonly Argument[]): NetworkPlan {
  const problems: string[] = [];
  const plan: Draft = { ipv4: { how: "dhcp" }, ipv6: { how: "auto" }, nameservers: [], routes: [], problems };
  const given = argumentOf(line, "sidero.mac");
  const mac = parseMac(given ?? "");
  if (mac !== undefined) plan.mac = formatMac(mac);
  else if (given !== undefined) problems.push(`sidero.mac=${given}: no MAC address`);
  for (const { name, value = "" } of line) {
    const problem = APPLY[name]?.(plan, value);
    if (problem !== undefined) problems.push(`${name}=${value}: ${problem}`);
  }
  return plan;
}

type Apply = (plan: Draft, value: string) => string | undefined;

const APPLY: Readonly<Record<string, Apply>> = {
  ip: applyIp,
  /** `eth0.5:eth0`, `vlan5:eth0`, or the number alone. */
  vlan: (plan, value) => {
    const id = Number(/^(?:[^:]*?[.n])?0*(\d{1,4})(?::.*)?$/.exec(value)?.[1] ?? Number.NaN);
    if (!(id >= 1 && id <= 4094)) return "no VLAN from 1 to 4094";
    plan.vlan = id;
    return undefined;
  },
  nameserver: (plan, value) => {
    const address = bare(value);
    if (!isAddress(address)) return "no address";
    plan.nameservers = [...plan.nameservers, address];
    return undefined;
  },
  /** `<net>/<length>:<gateway>[:<interface>]` */
  "rd.route": (plan, value) => {
    const [to = "", via = ""] = splitFields(value).map(bare);
    const [net = "", length = ""] = to.split("/");
    if (!isAddress(net) || prefixOf(length, net) === undefined || !isAddress(via)) return "no network/length:gateway";
    plan.routes = [...plan.routes, { to, via }];
    return undefined;
  },
};

/** `<client>:<server>:<gateway>:<netmask>:<hostname>:<device>:<autoconf>:<dns>:<dns>`, `<device>:<autoconf>`, `<autoconf>`. */
function applyIp(plan: Draft, value: string): string | undefined {
  const fields = splitFields(value);
  if (fields.length === 1 && METHODS.has(value)) return applyMethod(plan, value);
  if (fields.length <= 4 && METHODS.has(fields[1] ?? "-") && !isAddress(bare(fields[0]!))) {
    plan.device = fields[0]!;
    applyMtu(plan, fields[2] ?? "");
    return applyMethod(plan, fields[1]!);
  }
  const [client = "", , gateway = "", mask = "", hostname = "", device = "", method = "", ...rest] = fields;
  if (hostname !== "") plan.hostname = hostname;
  if (device !== "") plan.device = device;
  for (const text of rest) {
    if (isAddress(bare(text))) plan.nameservers = [...plan.nameservers, bare(text)];
    else applyMtu(plan, text);
  }
  const address = bare(client);
  if (address === "") return applyMethod(plan, method);
  const length = prefixOf(mask, address);
  if (!isAddress(address)) return `${address} is no address`;
  if (length === undefined) return `${mask} is no netmask`;
  const via = bare(gateway);
  if (via !== "" && !isAddress(via)) return `${via} is no address of a gateway`;
  const fixed = { how: "static", cidr: `${address}/${length}`, ...(via === "" ? {} : { gateway: via }) } as const;
  if (address.includes(":")) plan.ipv6 = fixed;
  else plan.ipv4 = fixed;
  return undefined;
}

function applyMethod(plan: Draft, method: string): string | undefined {
  if (["dhcp", "on", "any", "dhcp4", "both", ""].includes(method)) plan.ipv4 = { how: "dhcp" };
  else if (method === "dhcp6" || method === "auto6" || method === "either6") {
    plan.ipv4 = { how: "off" };
    plan.ipv6 = { how: method === "dhcp6" ? "dhcp" : "auto" };
  } else if (method === "off" || method === "none") plan.ipv4 = { how: "off" };
  else return `there is no ${method || "empty"} way to get an address`;
  return undefined;
}

function applyMtu(plan: Draft, text: string): void {
  const mtu = /^\d{2,5}$/.test(text) ? Number(text) : 0;
  if (mtu >= 68 && mtu <= 65_535) plan.mtu = mtu;
}

/** At colons, but not those in brackets. */
function splitFields(value: string): string[] {
  return value.match(/(?:\[[^\]]*\]|[^:[])+|(?<=^|:)(?=:|$)/g) ?? [""];
}

function bare(text: string): string {
  return text.replaceAll(/[[\]]/g, "");
}

function isAddress(text: string): boolean {
  return parseIpv4(text) !== undefined || parseIpv6(text) !== undefined;
}

/** Of `24`, `255.255.255.0`, or for IPv6 `64`; the whole address when nothing is said. */
function prefixOf(mask: string, address: string): number | undefined {
  const bits = address.includes(":") ? 128 : 32;
  if (mask === "") return bits === 128 ? 64 : undefined;
  if (/^\d{1,3}$/.test(mask)) return Number(mask) <= bits ? Number(mask) : undefined;
  const ones = [...(parseIpv4(mask) ?? [])].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1+0*$/.test(ones) ? ones.lastIndexOf("1") + 1 : undefined;
}
