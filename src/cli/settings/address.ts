/** Addresses to listen on, and hosts to be reached at, as they are written. */
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import type { ListenAddress } from "./setting.ts";

/** `host:port`, `:port`, `[v6]:port`; `off`, `0` or nothing turn the listener off. */
export function parseListenAddress(text: string): { value: ListenAddress | undefined } | { problem: string } {
  if (text === "off" || text === "0" || text === "") return { value: undefined };
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65535)
    return { problem: `"${text}" is not an address such as 127.0.0.1:6443, [::1]:6443 or :6443, nor off` };
  return { value: { host: found[1] ?? found[2] ?? "", port } };
}

/** RFC 1123 §2.1; the last label of a name is not all digits, so that a mistyped address is no name. */
const DNS_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Why machines cannot be told to come to this host: undefined when they can. */
export function hostProblem(text: string): string | undefined {
  if (parseIpv4(text) !== undefined || parseIpv6(text) !== undefined || DNS_NAME.test(text)) return undefined;
  return `"${text}" is neither an IP address nor a DNS name (without scheme, port or brackets)`;
}
