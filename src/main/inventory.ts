/** What boot decisions read: caches of their own, because they answer also where no controller leads. */
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Cache } from "#kube/cache.ts";
import type { Client } from "#kube/client.ts";
import type { KindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";

export interface InventoryPorts {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface FollowedInventory {
  readonly inventory: Inventory;
  /** Follows the kinds until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function createInventory({ client, clock, entropy, log }: InventoryPorts): FollowedInventory {
  const cache = <T extends KubeObject>(kind: KindRef<T>): Cache<T> =>
    new Cache({ resource: client.for(kind), clock, entropy, log });
  const servers = cache(Server);
  const bindings = cache(ServerBinding);
  const classes = cache(ServerClass);
  const environments = cache(Environment);
  const all = [servers, bindings, classes, environments] as const;
  const byMac = servers.index(macsOf);
  return {
    inventory: {
      server: (name) => servers.get(name),
      serversByMac: (mac) => byMac.get(mac),
      binding: (name) => bindings.get(name),
      serverClass: (name) => classes.get(name),
      environment: (name) => environments.get(name),
      get isComplete() {
        return all.every((each) => each.isSynced);
      },
    },
    async run(signal) {
      await Promise.all(all.map((each) => each.run(signal)));
    },
  };
}

function macsOf({ spec }: Server): string[] {
  const interfaces = spec?.hardware?.network?.interfaces ?? [];
  return interfaces.flatMap(({ mac }) => (mac === undefined || mac === "" ? [] : [mac.toLowerCase()]));
}
