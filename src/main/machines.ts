/** What the life cycle of machines shares with the provisioning side of a process: the agents that are connected, and who has asked for a boot script. */
import { createOrders } from "#agent/api/orders.ts";
import type { Orders } from "#agent/api/orders.ts";
import type { Settings } from "#cli/settings/read.ts";
import type { ServerControllerOptions } from "#controllers/server/controller.ts";
import type { Power, Sightings } from "#controllers/server/ports.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";

/** What the Server controller is made of; it may be made anew (another one leads), these go on. */
export type MachinePorts = Omit<ServerControllerOptions, "clock" | "metrics" | "agents" | "sightings"> & {
  readonly agents: Orders;
  readonly sightings: ScriptAsks;
  readonly neighbours: Neighbours;
};

export interface MachineOptions {
  readonly power: Power;
  readonly settings: Settings;
  /** As in the life cycle's settings. */
  readonly ordersSince?: number | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

export function createMachines({ power, settings, ordersSince, clock, entropy }: MachineOptions): MachinePorts {
  return {
    power,
    agents: createOrders({ clock, entropy }),
    sightings: new ScriptAsks(),
    neighbours: new Neighbours(),
    settings: {
      rebootTimeout: settings["server-reboot-timeout"],
      autoBmcSetup: settings["auto-bmc-setup"],
      firmware: settings["ipmi-pxe-method"],
      ...(ordersSince !== undefined && { ordersSince }),
    },
  };
}

/** Whose addresses are, as the provisioning side sees it once it is open. */
export class Neighbours {
  #find: (address: string) => Promise<string | undefined> = async () => undefined;

  connect(find: (address: string) => Promise<string | undefined>): void {
    this.#find = find;
  }

  /** Hardware address; undefined where nobody sees it. */
  of(address: string): Promise<string | undefined> {
    return this.#find(address);
  }
}

/** Machines remembered; beyond that the ones that asked first are forgotten, which costs at most a restart that was not needed. */
const MOST = 50_000;

/** When machines last asked for a boot script, taken from what is seen of them. */
export class ScriptAsks implements Sightings {
  readonly #times = new Map<string, number>();
  readonly #listeners = new Set<(machine: string) => void>();

  askedAt(machine: string): number | undefined {
    return this.#times.get(machine);
  }

  onAsk(listener: (machine: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sees what `witness` sees. */
  beside(witness: Witness): Witness {
    return (sighting) => {
      witness(sighting);
      const { what, of, at } = sighting;
      if (what !== "script.served" || of.server === undefined) return;
      this.#times.delete(of.server);
      this.#times.set(of.server, at);
      if (this.#times.size > MOST) this.#times.delete(this.#times.keys().next().value!);
      for (const listener of this.#listeners) listener(of.server);
    };
  }
}
