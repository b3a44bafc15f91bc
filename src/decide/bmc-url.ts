/** The URLs of BMCs. What cannot be read comes back as the problem, and names the part that is wrong. */
import { formatIpv6, parseIpv4, parseIpv6 } from "#std/address.ts";

/** What Redfish of that scheme is like. */
interface RedfishFamily {
  readonly boot: "pxe" | "cd" | "http";
  readonly vendor?: "dell" | "hpe";
}

export interface BmcUrl {
  /** As it was written, in lower case, without `+http` and `+https`. */
  readonly scheme: string;
  readonly family: "ipmi" | RedfishFamily;
  readonly secure: boolean;
  readonly host: string;
  readonly port?: number;
  /** With its slash; `""` when there is none. */
  readonly path: string;
  /** Names in lower case. */
  readonly query: ReadonlyMap<string, string>;
}

const SCHEMES: Readonly<Record<string, BmcUrl["family"]>> = {
  ipmi: "ipmi",
  // virtualbmc for libvirt's machines: IPMI all the same.
  libvirt: "ipmi",
  redfish: { boot: "pxe" },
  "redfish-virtualmedia": { boot: "cd" },
  "redfish-uefihttp": { boot: "http" },
  "idrac-redfish": { boot: "pxe", vendor: "dell" },
  "idrac-virtualmedia": { boot: "cd", vendor: "dell" },
  "ilo5-redfish": { boot: "pxe", vendor: "hpe" },
  "ilo5-virtualmedia": { boot: "cd", vendor: "hpe" },
};

/** Schemes that others had and gave up, and what to write instead. */
const REMOVED: Readonly<Record<string, string>> = {
  idrac: "idrac-redfish:// (WSMAN is not spoken)",
  ibmc: "redfish://",
  irmc: "redfish:// or ipmi://",
  ilo4: "ipmi://",
  "ilo4-virtualmedia": "ipmi:// (iLO 4 has no Redfish that is good for this)",
  ilo5: "redfish://",
};

/** `scheme[+http|+https]://host[:port][/path][?query]`. */
export function splitUrl(text: string): BmcUrl | string {
  const match = /^([^:/?#]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(text);
  if (match === null) return "it is no URL such as redfish://192.0.2.1/redfish/v1/Systems/1";
  const [, written = "", authority = "", path = "", query = "", fragment] = match;
  const [, scheme = "", transport] = /^(.*?)(?:\+(https?))?$/s.exec(written.toLowerCase())!;
  const family = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme]! : undefined;
  if (family === undefined) return schemeProblem(scheme);
  if (family === "ipmi" && transport !== undefined) return `${written}: IPMI does not go over HTTP; write ${scheme}://`;
  const place = splitAuthority(authority);
  if (typeof place === "string") return place;
  if (fragment !== undefined) return "it has a fragment (#…), which means nothing here";
  if (/[\s\p{C}]/u.test(path + query)) return "its path or query has a space or a control character";
  const pairs = query === "" ? [] : query.split("&").map((pair) => /^([^=]*)=?(.*)$/s.exec(pair)!);
  return {
    scheme,
    family,
    secure: transport !== "http",
    ...place,
    path,
    query: new Map(pairs.map(([, name = "", value = ""]) => [name.toLowerCase(), value])),
  };
}

function schemeProblem(scheme: string): string {
  if (Object.hasOwn(REMOVED, scheme)) return `${scheme}:// is no longer supported; write ${REMOVED[scheme]}`;
  if (scheme === "http" || scheme === "https") return `${scheme}:// does not say what is spoken; write redfish+${scheme}://`;
  return `the scheme "${scheme}" is not known; there are ${Object.keys(SCHEMES).join(", ")}`;
}

/** `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, or an IPv6 address as it is. */
export function splitAuthority(text: string): { host: string; port?: number } | string {
  // Not shown: what stands there may be a password.
  if (text.includes("@")) return "user and password do not belong into the address; use userFrom and passFrom";
  const six = parseIpv6(text);
  if (six !== undefined) return { host: formatIpv6(six) };
  const match = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/s.exec(text);
  if (match === null) return `"${text}" is neither a host name nor an address; IPv6 addresses go in brackets`;
  const [, host = "", port] = match;
  if (host === "") return "it has no host";
  if (port !== undefined && (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535))
    return `"${port}" is no port: it must be a number from 1 to 65535`;
  const place = port === undefined ? {} : { port: Number(port) };
  if (!host.startsWith("[")) return { host: host.toLowerCase(), ...place };
  const address = parseIpv6(host.slice(1, -1));
  return address === undefined ? `${host} is no IPv6 address` : { host: formatIpv6(address), ...place };
}

/** Host names as RFC 1123 §2.1 has them, and as people have them: with underscores. */
export function hostProblem(host: string): string | undefined {
  if (parseIpv6(host) !== undefined || parseIpv4(host) !== undefined) return undefined;
  if (/^[\d.]+$/.test(host)) return `"${host}" is no IPv4 address`;
  const isName = host.length <= 253 && host.split(".").every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label));
  return isName ? undefined : `"${host}" is no host name`;
}
