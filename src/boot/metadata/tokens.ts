/** Tokens that open a configuration: who asks for a script gets one with it, or is told why not. */
import type { Asker, Inventory } from "#decide/boot/asker.ts";
import { entitlementOf, type Presence } from "#decide/boot/entitlement.ts";
import { bootOrderOf, isServed } from "#decide/boot/order.ts";
import { encodeToken } from "#decide/identity/token.ts";
import { type Clock, timestamp } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Seal } from "#io/seal.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { isInstalled } from "./admission.ts";
import type { MetadataOptions } from "./gate.ts";

export type Grant =
  /** `link`: to join SideroLink, where there is one. */
  | { readonly is: "token"; readonly token: string; readonly link?: string }
  /** It boots without one. */
  | { readonly is: "none" }
  | { readonly is: "refused"; readonly because: string };

export interface TokensOptions {
  readonly metadata: MetadataOptions;
  readonly inventory: Pick<Inventory, "server" | "binding">;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly tokenLifetime: number;
  readonly hasLink: boolean;
  /** Makes what the machine will ask for in a minute; nobody waits for it. */
  readonly prepare: (server: Server, binding: ServerBinding) => void;
}

/** For a machine that is to be installed, by the name of its Server. */
export type Tokens = (machine: string, asker: Asker) => Promise<Grant>;

export function createTokens(options: TokensOptions): Tokens {
  const { metadata, inventory, seal, clock, entropy, log, tokenLifetime } = options;

  /** On record before the one who asks learns that it was noticed. */
  async function notice(server: Server, binding: ServerBinding, { address, mac }: Presence): Promise<void> {
    const order = bootOrderOf(server, binding);
    if (order === undefined || binding.status?.intruder?.order === order.id) return;
    const intruder = { at: timestamp(clock), order: order.id, address, ...(mac !== undefined && { mac }) };
    const text = `A machine at ${address} (${mac}) asks as this one while it is to boot: this boot gets no configuration.`;
    metadata.port.event(server, "Warning", "Server Configuration", text);
    log.warn("somebody else asks as a machine that is to boot", { server: server.metadata.name, address, mac });
    await metadata.port
      .record(binding, { intruder })
      .catch((error: unknown) =>
        log.error("it could not be put on record that somebody else asks", { because: Fault.from(error) }),
      );
  }

  return async (machine, asker) => {
    const [server, binding] = [inventory.server(machine), inventory.binding(machine)];
    if (server === undefined || binding === undefined) return { is: "refused", because: "it is not allocated any more" };
    if (isInstalled(binding) || isServed(server, binding)) return { is: "none" };
    const { address } = asker;
    const mac = (await metadata.neighbour(address))?.toLowerCase();
    const presence = { address, mac, identity: metadata.identity };
    const entitlement = entitlementOf(server, binding, presence);
    if (entitlement.is === "refused") {
      if (entitlement.isForeign) await notice(server, binding, presence);
      return metadata.isOpen ? { is: "none" } : { is: "refused", because: entitlement.because };
    }
    if (mac === undefined && presence.identity === "network")
      log.warn("nobody here sees whose address this is: the network is trusted to tell (--identity network)", {
        address,
        server: machine,
      });
    const boot = {
      boot: entropy.uuid(),
      address,
      expires: clock.now() + tokenLifetime,
      ...(asker.uuid !== undefined && { uuid: asker.uuid }),
      ...(asker.mac !== undefined && { mac: asker.mac }),
    };
    const token = encodeToken({ ...boot, purpose: "config", binding: binding.metadata.uid ?? "" }, seal);
    options.prepare(server, binding);
    return { is: "token", token, ...(options.hasLink && { link: encodeToken({ ...boot, purpose: "link" }, seal) }) };
  };
}
