/** A machine is three objects of one name: its bootstrap object, its infrastructure object, and the Machine that brings them together. */
import { cloneOf, isTemplate } from "#decide/clone.ts";
import { ownedBy } from "#decide/machine-set/decide.ts";
import type { MachineSetEffect } from "#decide/machine-set/effect.ts";
import { machineNameOf, suffixOf } from "#decide/machines/name.ts";
import { FROM_TEMPLATE } from "#decide/machine-set/sync.ts";
import { MACHINE_FINALIZER } from "#kinds/cluster/keys.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";
import type { Acting } from "#kube/controller.ts";
import type { KindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { MachineSetPorts } from "./ports.ts";

type Creation = Extract<MachineSetEffect, { do: "create-machine" }>;

/** What has been made of a machine that cannot be finished is taken away again. */
export async function createMachine(creation: Creation, acting: Acting, { kinds, entropy }: MachineSetPorts): Promise<void> {
  const { set, cluster, labels, annotations } = creation;
  const { client, events, signal } = acting;
  const namespace = set.metadata.namespace ?? "";
  const clusterName = cluster.metadata.name ?? "";
  const naming = { template: set.spec?.machineNaming?.template, cluster: clusterName, machineSet: set.metadata.name ?? "" };
  const name = machineNameOf(naming, suffixOf(entropy.bytes(5)));
  const { [FROM_TEMPLATE]: _record, ...handed } = annotations;
  const order = { name, namespace, clusterName, labels, annotations: handed, owner: ownedBy(set) };
  const made: { readonly kind: KindRef; readonly name: string }[] = [];

  async function cloned(reference: ContractVersionedObjectReference): Promise<ContractVersionedObjectReference> {
    if (!isTemplate(reference)) return reference;
    const template = await kinds.get(reference, namespace, { signal });
    if (template === undefined) {
      const message = `${reference.kind} ${reference.name} does not exist`;
      throw new Fault("machine-set.no-template", message, { fault: "world", retry: "later" });
    }
    const object = cloneOf(template, order);
    const kind = await kinds.ofObject(object, { signal });
    await client.for<KubeObject>(kind).create(object, { signal });
    made.push({ kind, name });
    return { apiGroup: kind.group, kind: kind.kind, name };
  }

  const { spec } = set.spec!.template;
  let isAsked = false;
  try {
    const { configRef } = spec.bootstrap;
    const bootstrap = configRef === undefined ? spec.bootstrap : { configRef: await cloned(configRef) };
    const infrastructureRef = await cloned(spec.infrastructureRef);
    const owner = { ...ownedBy(set), controller: true, blockOwnerDeletion: true };
    const metadata = { name, namespace, labels: { ...labels }, annotations: { ...annotations } };
    isAsked = true;
    await client.for(Machine).create(
      {
        // Its finalizer from the first: it must not go before its objects have.
        metadata: { ...metadata, finalizers: [MACHINE_FINALIZER], ownerReferences: [owner] },
        spec: { ...spec, bootstrap, infrastructureRef },
      },
      { signal },
    );
  } catch (error) {
    // Without an answer the Machine may be there, and needs them.
    if (isAsked && Fault.from(error).facts["status"] === undefined) throw error;
    for (const { kind, name: each } of made) {
      await client
        .for(kind)
        .in(namespace)
        .delete(each)
        .catch(() => {});
    }
    throw error;
  }
  events.record(set, { type: "Normal", reason: "SuccessfulCreate", message: `Created machine ${name}` });
}
