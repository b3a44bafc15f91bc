import type { MachineEffect } from "#decide/machine/observed.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Acting } from "#kube/controller.ts";
import type { Externals } from "#kube/externals.ts";
import { isNotFound } from "#kube/status.ts";
import type { Workloads } from "#kube/workload.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import type { Json } from "#std/json.ts";
import type { Drains } from "./drains.ts";

export interface MachineDoors {
  readonly externals: Externals;
  readonly workloads: Workloads;
  readonly drains: Drains;
}

/** One effect; each is harmless when it has already happened. */
export async function act(effect: MachineEffect, { client, events, signal }: Acting, doors: MachineDoors): Promise<void> {
  switch (effect.do) {
    case "patch":
      await client
        .for(Machine)
        .in(effect.namespace)
        .patch(effect.name, effect.patch as unknown as Json, { signal });
      return;
    case "own": {
      const { reference, namespace, resourceVersion, ownership } = effect;
      await doors.externals.patch(reference, namespace, { metadata: { resourceVersion, ...ownership } }, signal);
      return;
    }
    case "delete-external":
      await doors.externals.delete(effect.reference, effect.namespace, effect.uid, signal);
      return;
    case "patch-node":
      await unlessGone((await nodesOf(effect, doors)).patch(effect.node, effect.patch as Json, { signal }));
      return;
    case "delete-node":
      await unlessGone((await nodesOf(effect, doors)).delete(effect.node, { signal }));
      return;
    case "evict": {
      const { machine, namespace, cluster, pods, graceSeconds } = effect;
      await doors.drains.evict(`${namespace}/${machine}`, { namespace, name: cluster }, pods, graceSeconds);
      return;
    }
    case "tell":
      events.record(effect.about, { type: effect.type, reason: effect.reason, message: effect.message });
  }
}

async function nodesOf({ namespace, cluster }: { namespace: string; cluster: string }, { workloads }: MachineDoors) {
  return (await workloads.client({ namespace, name: cluster })).for(WorkloadNodes);
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
