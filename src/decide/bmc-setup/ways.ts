/** Which of a BMC's addresses may lead to it, and what to say when none does. */
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import type { LanChannel, Way } from "./found.ts";

/** The ways in the order in which to try them: IPv4, which every IPMI stack speaks, before IPv6; addresses of the whole network before private ones. */
export function waysOf(channels: readonly LanChannel[]): Way[] {
  const ways = channels.flatMap(({ number, addresses, port }) =>
    addresses.map((address) => ({ way: { address, port, channel: number }, rank: rankOf(address) })),
  );
  return ways
    .filter(({ rank }) => rank !== undefined)
    .toSorted((a, b) => a.rank! - b.rank! || a.way.channel - b.way.channel)
    .map(({ way }) => way);
}

/** Why there is no way, for people; undefined when there is one. `mayCome`: looking again can help. */
export function noWay(channels: readonly LanChannel[]): { readonly text: string; readonly mayCome: boolean } | undefined {
  if (waysOf(channels).length > 0) return undefined;
  if (channels.length === 0) return { text: "the BMC has no network interface", mayCome: false };
  const parts = channels.map(({ number, mac, source, addresses }) => {
    const which = `channel ${number}${mac === undefined ? "" : ` (${mac})`}`;
    const useless = addresses.filter((address) => !isNothing(address));
    if (useless.length > 0) return `${which} has only ${useless.join(", ")}, which no other network reaches`;
    return source === "dhcp" ? `${which} waits for DHCP` : `${which} has no address`;
  });
  return { text: `the BMC has no address: ${parts.join("; ")}`, mayCome: true };
}

/** The lower, the sooner; undefined for addresses that lead nowhere from elsewhere. */
function rankOf(text: string): number | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) {
    const [first, second] = [four[0]!, four[1]!];
    const leadsNowhere = first === 0 || first === 127 || first >= 224 || (first === 169 && second === 254);
    return leadsNowhere ? undefined : 0;
  }
  const six = parseIpv6(text);
  if (six === undefined) return undefined;
  // Global unicast (RFC 4291 §2.5.4), unique local (RFC 4193).
  if ((six[0]! & 0xe0) === 0x20) return 1;
  return (six[0]! & 0xfe) === 0xfc ? 2 : undefined;
}

function isNothing(address: string): boolean {
  return address === "0.0.0.0" || address === "::" || address === "255.255.255.255";
}
