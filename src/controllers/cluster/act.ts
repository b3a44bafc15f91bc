import type { Child, ClusterEffect } from "#decide/cluster/observed.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Acting } from "#kube/controller.ts";
import type { Externals } from "#kube/externals.ts";
import type { KindRef } from "#kube/kind.ts";
import { isNotFound } from "#kube/status.ts";
import type { Json } from "#std/json.ts";
import { writeKubeconfig, type MintingPorts } from "./kubeconfig.ts";

const CHILDREN: Readonly<Record<Child, KindRef>> = {
  Machine: Machine,
  MachineSet: MachineSet,
  MachineDeployment: MachineDeployment,
};

export interface ClusterDoors extends MintingPorts {
  readonly externals: Externals;
}

/** One effect; each is harmless when it has already happened. */
export async function act(effect: ClusterEffect, acting: Acting, doors: ClusterDoors): Promise<void> {
  const { client, events, signal } = acting;
  const { externals } = doors;
  switch (effect.do) {
    case "patch":
      await client
        .for(Cluster)
        .in(effect.namespace)
        .patch(effect.name, effect.patch as unknown as Json, { signal });
      return;
    case "own": {
      const { reference, namespace, resourceVersion, ownership } = effect;
      await externals.patch(reference, namespace, { metadata: { resourceVersion, ...ownership } }, signal);
      return;
    }
    case "kubeconfig":
      await writeKubeconfig(effect.cluster, effect.server, doors, acting);
      return;
    case "delete-external":
      await externals.delete(effect.reference, effect.namespace, effect.uid, signal);
      return;
    case "delete-child":
      try {
        const { kind, namespace, name, uid } = effect;
        await client.for(CHILDREN[kind]).in(namespace).delete(name, { preconditions: { uid }, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return;
    case "tell":
      events.record(effect.about, { type: effect.type, reason: effect.reason, message: effect.message });
  }
}
