import { setLabels, setSpec } from "#decide/machine-deployment/desired.ts";
import type { DeploymentEffect } from "#decide/machine-deployment/effect.ts";
import { suffixed, suffixOf } from "#decide/machines/name.ts";
import { MACHINE_SET_FINALIZER } from "#kinds/cluster/keys.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Acting } from "#kube/controller.ts";
import { isNotFound } from "#kube/status.ts";

export interface DeploymentPorts {
  /** Names of sets. */
  readonly entropy: Entropy;
}

/** One effect; each is harmless when it has already happened: a set that is made twice is two of which one stays current. */
export async function act(
  effect: DeploymentEffect,
  { client, events, signal }: Acting,
  { entropy }: DeploymentPorts,
): Promise<void> {
  switch (effect.do) {
    case "mark-deployment": {
      const { namespace = "", name = "" } = effect.deployment.metadata;
      await client.for(MachineDeployment).in(namespace).patch(name, { metadata: effect.metadata }, { signal });
      return;
    }
    case "create-set": {
      const { deployment, replicas, annotations } = effect;
      const { namespace = "", name = "", uid = "" } = deployment.metadata;
      const suffix = suffixOf(entropy.bytes(5));
      const hash = `${effect.hash}-${suffix}`;
      const owner = {
        apiVersion: deployment.apiVersion,
        kind: deployment.kind,
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      };
      const made = await client.for(MachineSet).create(
        {
          metadata: {
            name: suffixed(name, suffix),
            namespace,
            labels: setLabels(deployment, hash),
            annotations: { ...annotations },
            ownerReferences: [owner],
            finalizers: [MACHINE_SET_FINALIZER],
          },
          spec: setSpec(deployment, hash, replicas),
        },
        { signal },
      );
      events.record(deployment, {
        type: "Normal",
        reason: "SuccessfulCreate",
        message: `Created MachineSet ${made.metadata.name}`,
      });
      return;
    }
    case "adopt-set": {
      const { namespace = "", name = "", resourceVersion = "" } = effect.set.metadata;
      const ownerReferences = effect.owners.map((owner) => ({ ...owner }));
      await client.for(MachineSet).in(namespace).patch(name, { metadata: { resourceVersion, ownerReferences } }, { signal });
      return;
    }
    case "change-set": {
      const { set, patch, because } = effect;
      const { namespace = "", name = "" } = set.metadata;
      await client.for(MachineSet).in(namespace).patch(name, patch, { signal });
      if (because !== undefined) events.record(set, { type: "Normal", reason: "SuccessfulScale", message: because });
      return;
    }
    case "delete-set": {
      const { namespace = "", name = "", uid = "" } = effect.set.metadata;
      try {
        await client.for(MachineSet).in(namespace).delete(name, { preconditions: { uid }, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      events.record(effect.set, { type: "Normal", reason: "SuccessfulDelete", message: `deleted: ${effect.because}` });
    }
  }
}
