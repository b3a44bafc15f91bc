import { isTemplate } from "#decide/clone.ts";
import type { MachineSetEffect } from "#decide/machine-set/effect.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";
import type { Acting } from "#kube/controller.ts";
import { isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { createMachine } from "./create.ts";
import type { MachineSetPorts } from "./ports.ts";

/** One effect; each is harmless when it has already happened. */
export async function act(effect: MachineSetEffect, acting: Acting, ports: MachineSetPorts): Promise<void> {
  const { client, events, signal } = acting;
  switch (effect.do) {
    case "mark-set": {
      const { namespace = "", name = "" } = effect.set.metadata;
      await client.for(MachineSet).in(namespace).patch(name, { metadata: effect.metadata }, { signal });
      return;
    }
    case "own-template": {
      const { reference, namespace, owners } = effect;
      const templates = client.for(await ports.kinds.of(reference, { signal })).in(namespace);
      const ownerReferences = owners.map((owner) => ({ ...owner }));
      await ignoringGone(() => templates.patch(reference.name, { metadata: { ownerReferences } }, { signal }));
      return;
    }
    case "adopt": {
      const { metadata } = effect.machine;
      const ownerReferences = effect.owners.map((owner) => ({ ...owner }));
      const patch = { metadata: { resourceVersion: metadata.resourceVersion ?? "", ownerReferences } };
      await machinesIn(effect.machine, acting).patch(metadata.name ?? "", patch, { signal });
      return;
    }
    case "create-machine":
      await createMachine(effect, acting, ports);
      return;
    case "sync": {
      const { machine, patch, objects } = effect;
      // The machine last: that it differs is why all three are looked at.
      if (objects !== undefined) for (const reference of objectsOf(machine)) await patchObject(reference, machine, objects);
      await machinesIn(machine, acting).patch(machine.metadata.name ?? "", patch, { signal });
      return;
    }
    case "tell": {
      const { resourceVersion = "", name = "" } = effect.machine.metadata;
      const patch = { metadata: { resourceVersion }, status: { conditions: effect.conditions.map((each) => ({ ...each })) } };
      await machinesIn(effect.machine, acting).patch(name, patch, { signal, subresource: "status" });
      return;
    }
    case "delete-machine": {
      const { name = "", uid = "" } = effect.machine.metadata;
      await ignoringGone(() => machinesIn(effect.machine, acting).delete(name, { preconditions: { uid }, signal }));
      events.record(effect.machine, { type: "Normal", reason: "Deleted", message: `deleted: ${effect.because}` });
    }
  }

  async function patchObject(reference: ContractVersionedObjectReference, machine: Machine, patch: object): Promise<void> {
    const kind = await ports.kinds.of(reference, { signal });
    const objects = client.for<KubeObject>(kind).in(machine.metadata.namespace ?? "");
    await ignoringGone(() => objects.patch(reference.name, patch as never, { signal }));
  }
}

function machinesIn({ metadata }: Machine, { client }: Acting) {
  return client.for(Machine).in(metadata.namespace ?? "");
}

/** Those that were made for this machine alone. */
function objectsOf({ spec }: Machine): ContractVersionedObjectReference[] {
  if (spec === undefined) return [];
  const { configRef } = spec.bootstrap;
  return [...(configRef === undefined ? [] : [configRef]), spec.infrastructureRef].filter((reference) => !isTemplate(reference));
}

async function ignoringGone(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
