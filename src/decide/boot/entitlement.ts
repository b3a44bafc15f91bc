/**
 * Whether the boot of a machine gets the token that opens its configuration (DESIGN §4.7). Anybody may ask for a script with anybody's UUID, so a token is made for an
 * ordered boot only, and for whoever asks from an address that is seen on one of the machine's own interfaces.
 */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { requestCommand } from "../lifecycle/told.ts";
import { type BootOrder, bootOrderOf } from "./order.ts";

/** Where somebody asks from, as the network shows it. */
export interface Presence {
  readonly address: string;
  /** Hardware address that the neighbour table or DHCP shows it on, lower case; undefined where nobody here sees it. */
  readonly mac?: string | undefined;
  /** How far the network is trusted where it is not seen (`--identity`). */
  readonly identity: "neighbour" | "network";
}

export type Entitlement =
  | { readonly is: "granted"; readonly order: BootOrder }
  /** `isForeign`: somebody else asks, seen on an interface that is not the machine's. */
  | { readonly is: "refused"; readonly because: string; readonly isForeign: boolean };

/** A machine that has been installed needs none: whoever looks at `decideBoot`'s answer has seen to that. */
export function entitlementOf(server: Server, binding: ServerBinding, presence: Presence): Entitlement {
  const own = ownershipProblem(server, presence);
  if (own !== undefined) return { is: "refused", ...own };
  const order = bootOrderOf(server, binding);
  const name = server.metadata.name ?? "";
  const command = requestCommand(name, "power-cycle");
  if (order === undefined)
    return { is: "refused", because: `nobody has ordered that it boots now; to order it: ${command}`, isForeign: false };
  if (binding.status?.intruder?.order !== order.id) return { is: "granted", order };
  const { address, mac } = binding.status.intruder;
  const who = mac === undefined ? address : `${address} (${mac})`;
  return {
    is: "refused",
    because: `${who} asked as this machine while it was to boot; see who that is, then: ${command}`,
    isForeign: false,
  };
}

/** What speaks against that whoever is there is the machine; undefined: it is on one of its interfaces, or has to be believed. */
export function ownershipProblem(
  server: Server,
  { address, mac, identity }: Presence,
): { because: string; isForeign: boolean } | undefined {
  const known = macsOf(server);
  if (mac !== undefined && known.includes(mac)) return undefined;
  if (mac !== undefined && known.length > 0)
    return { because: `${address} belongs to ${mac}, which is none of the Server's interfaces`, isForeign: true };
  if (mac === undefined && (identity === "network" || isSimulated(address))) return undefined;
  const because =
    mac === undefined
      ? `nobody here sees whose address ${address} is; behind a router or a relay, --identity network trusts the network`
      : "no interface of the Server is on record: it has never been in the agent";
  return { because, isForeign: false };
}

/** Of all its interfaces, lower case. */
export function macsOf({ spec }: Server): string[] {
  const interfaces = spec?.hardware?.network?.interfaces ?? [];
  return interfaces
    .flatMap(({ mac = "", permanentMac = "" }) => [mac.toLowerCase(), permanentMac.toLowerCase()])
    .filter((mac) => mac !== "");
}

/**
 * A machine that `sidero sim` simulates on this host: each has an address of its own in 127.0.0.0/8, which nobody elsewhere can have. Not 127.0.0.1 and ::1: a proxy
 * on this host comes from there, and relays anybody.
 */
export function isSimulated(address: string): boolean {
  return address.startsWith("127.") && address !== "127.0.0.1";
}

/** A program on this host. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
