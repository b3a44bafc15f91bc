/**
 * Whether a machine that calls is the one it says it is, as far as the network can tell. Anybody may ask for a boot script with another machine's UUID, and
 * gets a token for its own address: what is at stake for a machine in our care (its hardware on record, "its disks are wiped") is taken only from an
 * address that is seen on one of its own interfaces (DESIGN §4.7).
 */
import { isSimulated, macsOf } from "#decide/boot/entitlement.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Log } from "#io/log.ts";
import type { AccessOptions } from "./access.ts";
import { refusal } from "./faults.ts";
import type { Registry } from "./registry.ts";

/** Where nobody here sees the caller's hardware address: `neighbour` refuses it, `network` trusts whoever routes the site's packets. */
export type Identity = "neighbour" | "network";

export interface PresenceOptions {
  readonly identity: Identity;
  readonly neighbour: AccessOptions["neighbour"];
  readonly registry: Pick<Registry, "event">;
  readonly log: Log;
}

/** Both reject with Fault `agent.denied`, and then there is an Event on the Server. */
export interface Presence {
  /** It is seen to be on the machine's own interface, or need not be (`--identity network`). */
  mustBeOwn(server: Server, address: string): Promise<void>;
  /** It is not seen to be on another machine's. */
  mustNotBeForeign(server: Server, address: string): Promise<void>;
}

export function createPresence({ identity, neighbour, registry, log }: PresenceOptions): Presence {
  function refuse(server: Server, address: string, why: string): never {
    const { name = "" } = server.metadata;
    registry.event(
      server,
      "Warning",
      "Server Registration",
      `A machine at ${address} says that it is this one, and was refused: ${why}`,
    );
    throw refusal("agent.denied", `${address} does not speak for Server ${name}: ${why}`);
  }

  /** Its hardware address; refused when it is another machine's. */
  async function seen(server: Server, address: string): Promise<string | undefined> {
    const mac = (await neighbour(address))?.toLowerCase();
    const known = macsOf(server);
    // Made by hand, and never registered: there is nothing to compare with.
    if (mac === undefined || known.length === 0 || known.includes(mac)) return mac;
    const add = `[{"op":"add","path":"/spec/hardware/network/interfaces/-","value":{"mac":"${mac}"}}]`;
    const remedy = `if its network card was replaced: kubectl patch server ${server.metadata.name} --type=json -p '${add}'`;
    return refuse(server, address, `it belongs to ${mac}, which is none of the Server's interfaces; ${remedy}`);
  }

  return {
    async mustNotBeForeign(server, address) {
      await seen(server, address);
    },
    async mustBeOwn(server, address) {
      if ((await seen(server, address)) !== undefined || isSimulated(address)) return;
      if (identity === "network") {
        log.warn("nobody here sees whose address this is: the network is trusted to tell (--identity network)", { address });
        return;
      }
      refuse(
        server,
        address,
        "nobody here sees whose address it is; behind a router or a relay, --identity network trusts the network",
      );
    },
  };
}
