/** `/configdata`: where Talos asks for its configuration. There is none before there are clusters; what it gets is the reason, and it asks again. */
import { type Digest, machineOf } from "#decide/identity/machine.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import { askerOf } from "./asker.ts";

export interface ConfigRefusal {
  readonly status: 400 | 404 | 503;
  readonly reason: string;
}

/** Talos shows the first 32 bytes of what it gets instead of a configuration. */
export function configRefusal(query: URLSearchParams, inventory: Inventory, digest: Digest): ConfigRefusal {
  const { uuid, mac, serial } = askerOf(query, "");
  if (uuid === undefined) return { status: 400, reason: query.has("uuid") ? "the uuid is no UUID" : "the query has no uuid" };
  if (!inventory.isComplete) return { status: 503, reason: "starting: ask again" };
  const machine = machineOf({ uuid, serial, macs: mac === undefined ? [] : [mac] }, inventory, digest);
  if (machine?.server === undefined) return { status: 404, reason: `no Server has the UUID ${uuid}` };
  if (inventory.binding(machine.name) === undefined) return { status: 404, reason: `not allocated: Server ${machine.name}` };
  return { status: 503, reason: `no configuration yet for Server ${machine.name}` };
}
