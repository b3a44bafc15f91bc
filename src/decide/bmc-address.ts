/**
 * How a machine's BMC is reached, as its Server says it: by the fields that upstream has, or as a URL in the schemes that Metal³ has. What cannot
 * work is a problem in words, never an exception and never, as upstream has it, a BMC that pretends.
 */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { SecretKeyReference } from "#kinds/reference.ts";
import { hostProblem, splitAuthority, splitUrl } from "./bmc-url.ts";
import type { BmcUrl } from "./bmc-url.ts";

export interface IpmiAddress {
  readonly protocol: "ipmi";
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** RMCP+ of IPMI 2.0, or IPMI 1.5. */
  readonly interface: "lanplus" | "lan";
  readonly privilege: "user" | "operator" | "administrator";
  /** Absent: 17, then 3. */
  readonly cipherSuite?: number;
}

export interface RedfishAddress {
  readonly protocol: "redfish";
  /** `https://192.0.2.1`, `http://[2001:db8::1]:8000`: without a path. */
  readonly origin: string;
  /** `/redfish/v1/Systems/1`; absent: the only one there is. */
  readonly system?: string;
  /** Who the address says has made it. */
  readonly vendor?: "dell" | "hpe";
  /** How it is started from what we serve: from the network, from a virtual CD, or from a URL. */
  readonly boot: "pxe" | "cd" | "http";
  /** SHA-256 of the certificate that is expected, in lower-case hexadecimal. */
  readonly fingerprint?: string;
}

/** The power API of virtual machines, for tests: upstream's `managementApi`. */
export interface HttpPowerAddress {
  readonly protocol: "http";
  /** `http://172.20.0.1:34791`, without a slash at the end. */
  readonly url: string;
}

export type BmcAddress = IpmiAddress | RedfishAddress | HttpPowerAddress;

/** Where a user name or a password is: in the Server itself, or in a Secret. */
export type CredentialPart = { readonly literal: string } | { readonly secret: SecretKeyReference };

/** `none`: no BMC is configured. `unusable`: one is, and cannot work as it is. */
export type BmcWay =
  | { readonly way: "none" }
  | { readonly way: "unusable"; readonly problem: string }
  | {
      readonly way: "bmc";
      readonly address: BmcAddress;
      /** Absent where none are needed. */
      readonly credentials?: { readonly user: CredentialPart; readonly password: CredentialPart };
    };

type Spec = NonNullable<Server["spec"]>;
type Bmc = NonNullable<Spec["bmc"]>;

const IPMI_PORT = 623;

/** Pure; `spec.bmc` goes before `spec.managementApi`, as upstream has it. */
export function bmcWay(spec: Pick<Spec, "bmc" | "managementApi"> | undefined): BmcWay {
  const { bmc, managementApi } = spec ?? {};
  try {
    if (bmc !== undefined) return { way: "bmc", address: addressOf(bmc), credentials: credentialsOf(bmc) };
    if (managementApi !== undefined) return { way: "bmc", address: httpPower(managementApi.endpoint) };
    return { way: "none" };
  } catch (error) {
    if (error instanceof Problem) return { way: "unusable", problem: error.message };
    throw error;
  }
}

/** For people and logs: `ipmi://192.0.2.1`, `redfish://192.0.2.1/redfish/v1/Systems/1`. Two addresses of one machine's BMC have one text. */
export function formatBmcAddress(address: BmcAddress): string {
  switch (address.protocol) {
    case "ipmi": {
      const host = address.host.includes(":") ? `[${address.host}]` : address.host;
      return `ipmi://${host}${address.port === IPMI_PORT ? "" : `:${address.port}`}`;
    }
    case "redfish":
      return address.origin.replace(/^https:/, "redfish:").replace(/^http:/, "redfish+http:") + (address.system ?? "");
    case "http":
      return address.url;
  }
}

/** Says what is wrong with a Server's way to its BMC; caught where it began. */
class Problem extends Error {}

function addressOf(bmc: Bmc): BmcAddress {
  const endpoint = bmc.endpoint.trim();
  // An agent may tell user and password before the address.
  if (endpoint === "") throw new Problem("spec.bmc.endpoint is empty: the address of the BMC is not known yet");
  if (!endpoint.includes("://")) return ipmi(bmc, checked(splitAuthority(endpoint)), undefined);
  const url = checked(splitUrl(endpoint));
  const { family, secure } = url;
  if (family === "ipmi") return ipmi(bmc, url, url);
  const { path, query, host, port } = url;
  if (query.size > 0) throw inUrl(`?${[...query.keys()][0]}= means nothing with ${url.scheme}://`);
  const shown = host.includes(":") ? `[${host}]` : host;
  const fingerprint = fingerprintOf(bmc);
  return {
    protocol: "redfish",
    origin: `${secure ? "https" : "http"}://${shown}${port === undefined || port === (secure ? 443 : 80) ? "" : `:${port}`}`,
    ...systemOf(path),
    ...family,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
}

function ipmi(bmc: Bmc, { host, port }: { host: string; port?: number }, url: BmcUrl | undefined): IpmiAddress {
  const own = bmc.port === undefined || bmc.port === 0 ? undefined : bmc.port;
  if (port !== undefined && own !== undefined && port !== own)
    throw new Problem(`spec.bmc.endpoint says port ${port}, spec.bmc.port says ${own}`);
  const kind = bmc.interface ?? "";
  // Upstream's would have switched the machine that Sidero itself runs on.
  if (kind === "open")
    throw new Problem("spec.bmc.interface is open, which is the BMC of the machine Sidero runs on: say lanplus or lan");
  if (kind !== "" && kind !== "lanplus" && kind !== "lan")
    throw new Problem(`spec.bmc.interface is "${kind}": it must be lanplus (IPMI 2.0) or lan (IPMI 1.5)`);
  if (url !== undefined && url.path !== "" && url.path !== "/")
    throw inUrl(`${url.scheme}:// has no path, and this one has ${url.path}`);
  const suite = bmc.cipherSuite;
  if (suite !== undefined && suite !== 0 && suite !== 3 && suite !== 17)
    throw new Problem(`spec.bmc.cipherSuite is ${suite}: it must be 3 or 17 (or 0, which authenticates nobody)`);
  return {
    protocol: "ipmi",
    host,
    port: port ?? own ?? IPMI_PORT,
    interface: kind === "lan" ? "lan" : "lanplus",
    privilege: privilegeOf(url?.query),
    ...(suite === undefined ? {} : { cipherSuite: suite }),
  };
}

/** `?privilegelevel=OPERATOR` has the session ask for no more than that. */
function privilegeOf(query: ReadonlyMap<string, string> | undefined): IpmiAddress["privilege"] {
  for (const [name, value] of query ?? []) {
    const level = value.toLowerCase();
    if (name !== "privilegelevel") throw inUrl(`?${name}= is not known; there is ?privilegelevel=`);
    if (level === "user" || level === "operator" || level === "administrator") return level;
    throw inUrl(`?privilegelevel=${value}: it must be ADMINISTRATOR, OPERATOR or USER`);
  }
  return "administrator";
}

/** The root of the service stands for its only system. */
function systemOf(path: string): { system?: string } {
  const text = path.replace(/\/+$/, "");
  if (text === "" || text === "/redfish" || text === "/redfish/v1") return {};
  if (!/^\/redfish\/v1\/[\w.~%:@!$&'()*+,;=/-]+$/.test(text))
    throw inUrl(`the path ${path} must be that of a system, such as /redfish/v1/Systems/1`);
  return { system: text };
}

function fingerprintOf({ fingerprint = "" }: Bmc): string | undefined {
  if (fingerprint === "") return undefined;
  const text = fingerprint.toLowerCase().replaceAll(":", "");
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new Problem("spec.bmc.fingerprint must be a SHA-256: 64 hexadecimal digits");
}

function httpPower(endpoint: string): HttpPowerAddress {
  const text = /^https?:\/\//i.test(endpoint) ? endpoint : `http://${endpoint}`;
  const match = /^(https?):\/\/([^/?#]*)(\/[^?#\s]*)?$/i.exec(text);
  if (match === null) throw new Problem(`spec.managementApi.endpoint "${endpoint}" is no address such as 172.20.0.1:34791`);
  const { host, port } = checked(splitAuthority(match[2]!), "spec.managementApi.endpoint");
  const shown = host.includes(":") ? `[${host}]` : host;
  const path = (match[3] ?? "").replace(/\/+$/, "");
  return { protocol: "http", url: `${match[1]!.toLowerCase()}://${shown}${port === undefined ? "" : `:${port}`}${path}` };
}

function credentialsOf(bmc: Bmc): { user: CredentialPart; password: CredentialPart } {
  return { user: part(bmc.user, bmc.userFrom, "user"), password: part(bmc.pass, bmc.passFrom, "pass") };
}

function part(literal: string | undefined, source: Bmc["userFrom"], field: "user" | "pass"): CredentialPart {
  if (literal !== undefined && literal !== "") return { literal };
  const secret = source?.secretKeyRef;
  if (secret !== undefined) return { secret };
  const what = field === "user" ? "user name" : "password";
  throw new Problem(`the BMC has no ${what}: set spec.bmc.${field} or spec.bmc.${field}From`);
}

function checked<T extends { readonly host: string }>(read: T | string, field = "spec.bmc.endpoint"): T {
  if (typeof read === "string") throw new Problem(`${field}: ${read}`);
  const problem = hostProblem(read.host);
  if (problem !== undefined) throw new Problem(`${field}: ${problem}`);
  return read;
}

function inUrl(problem: string): Problem {
  return new Problem(`spec.bmc.endpoint: ${problem}`);
}
