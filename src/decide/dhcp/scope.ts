/** Which of the subnets a request is about. */
import { includes, parseAddress } from "./range.ts";
import type { Subnet } from "./subnets.ts";

export type Mode = "proxy" | "server" | "off";

/** The interface that a request came in by. */
export interface LinkFacts {
  readonly name: string;
  readonly addresses: readonly { readonly address: string }[];
}

export interface Origin {
  /** Of the client's link, when a relay passed the request on. */
  readonly relay?: string | undefined;
  /** What the client uses as its own, when it is not on the link of a relay. */
  readonly own?: string | undefined;
}

/**
 * In the order of the file. A relayed request is about the subnets of the relay's address. One that came straight is about those of the
 * interface, but when a client of a routed network renews its lease: then about that of its address.
 */
export function subnetsOf(subnets: readonly Subnet[], link: LinkFacts, { relay, own }: Origin): readonly Subnet[] {
  const possible = subnets.filter((subnet) => subnet.interface === undefined || subnet.interface === link.name);
  if (relay !== undefined) return containing(possible, relay);
  const local = possible.filter(
    (subnet) => subnet.interface !== undefined || link.addresses.some(({ address }) => has(subnet, address)),
  );
  if (own === undefined || containing(local, own).length > 0) return local;
  const routed = containing(possible, own);
  return routed.length > 0 ? routed : local;
}

function containing(subnets: readonly Subnet[], address: string): readonly Subnet[] {
  return subnets.filter((subnet) => has(subnet, address));
}

function has({ network }: Subnet, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && includes(network, address);
}

/**
 * The subnets in which to give addresses, and what to do if there are none. Where nothing can be given, being a server is being a proxy: machines
 * boot, and somebody else gives addresses.
 */
export function modeOf(subnets: readonly Subnet[], fallback: Mode): { readonly mode: Mode; readonly serving: readonly Subnet[] } {
  const modes = subnets.map((subnet) => subnet.mode ?? fallback);
  const serving = subnets.filter(({ pools, reservations }, i) => modes[i] === "server" && pools.length + reservations.length > 0);
  if (serving.length > 0) return { mode: "server", serving };
  const wanted = modes.length === 0 ? [fallback] : modes;
  return { mode: wanted.every((mode) => mode === "off") ? "off" : "proxy", serving };
}
