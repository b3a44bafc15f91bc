import type { Due, ResourceSetEffect } from "#decide/resource-set/decide.ts";
import { ownedBy } from "#decide/cluster/owner.ts";
import type { Clock } from "#io/clock.ts";
import { timestamp } from "#io/clock.ts";
import type { ClusterResourceSet } from "#kinds/addons/v1beta2/cluster-resource-set.ts";
import { ClusterResourceSetBinding } from "#kinds/addons/v1beta2/cluster-resource-set-binding.ts";
import type { Acting } from "#kube/controller.ts";
import { Applier, inOrder, parseManifests } from "#kube/manifests.ts";
import { Secret } from "#kube/secret.ts";
import { ifThere } from "#kube/status.ts";
import type { Workloads } from "#kube/workload.ts";
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";
import { ConfigMap, textsOf } from "./resources.ts";

export interface ResourceSetDoors {
  readonly workloads: Workloads;
  readonly clock: Clock;
}

type Spec = NonNullable<ClusterResourceSetBinding["spec"]>;
type Entry = NonNullable<Spec["bindings"]>[number];
type Apply = Extract<ResourceSetEffect, { do: "apply" }>;

/** One effect; each is harmless when it has already happened. */
export async function act(effect: ResourceSetEffect, acting: Acting, doors: ResourceSetDoors): Promise<void> {
  switch (effect.do) {
    case "own": {
      const { resource, namespace, patch } = effect;
      const client = resource.kind === "Secret" ? acting.client.for(Secret) : acting.client.for(ConfigMap);
      await client.in(namespace).patch(resource.name, patch as Json, { signal: acting.signal });
      return;
    }
    case "apply":
      await apply(effect, acting, doors);
      return;
    case "unbind":
      await change(acting, effect.namespace, effect.cluster, undefined, (entries) =>
        entries.filter(({ clusterResourceSetName }) => clusterResourceSetName !== effect.set),
      );
  }
}

/** What could be applied is on record before what could not is told. */
async function apply(effect: Apply, acting: Acting, { workloads, clock }: ResourceSetDoors): Promise<void> {
  const { set, cluster, namespace, resources, mayChange } = effect;
  const applier = new Applier(await workloads.client({ namespace, name: cluster }));
  const problems: Fault[] = [];
  const records: NonNullable<Entry["resources"]> = [];
  for (const due of resources) {
    const before = problems.length;
    await applyOne(due, effect, acting, applier, mayChange, problems);
    const { kind, name, hash } = due;
    records.push({ kind, name, hash, lastAppliedTime: timestamp(clock), applied: problems.length === before });
  }
  const setName = set.metadata.name ?? "";
  await change(acting, namespace, cluster, set, (entries) => {
    const mine = entries.find(({ clusterResourceSetName }) => clusterResourceSetName === setName);
    const kept = (mine?.resources ?? []).filter(
      (old) => !records.some(({ kind, name }) => kind === old.kind && name === old.name),
    );
    const next: Entry = { clusterResourceSetName: setName, resources: [...kept, ...records] };
    return mine === undefined ? [...entries, next] : entries.map((entry) => (entry === mine ? next : entry));
  });
  if (problems.length === 0) return;
  const message = `cluster ${namespace}/${cluster}: ${problems.map((problem) => problem.message).join("; ")}`;
  throw new Fault("resource-set.not-applied", message, { fault: "world", retry: "later", cause: problems[0] });
}

async function applyOne(
  due: Due,
  { namespace }: Apply,
  { client, signal }: Acting,
  applier: Applier,
  mayChange: boolean,
  problems: Fault[],
): Promise<void> {
  try {
    const resource = due.kind === "Secret" ? client.for(Secret) : client.for(ConfigMap);
    const object = await resource.in(namespace).get(due.name, { signal });
    for (const manifest of inOrder(textsOf(object).flatMap(parseManifests))) {
      try {
        await applier.apply(manifest, mayChange, { signal });
      } catch (error) {
        problems.push(told(error, { kind: manifest.kind, name: manifest.metadata.name ?? "" }));
      }
    }
  } catch (error) {
    problems.push(told(error, due));
  }
}

function told(error: unknown, { kind, name }: { readonly kind: string; readonly name: string }): Fault {
  const fault = Fault.from(error);
  return new Fault(fault.code, `${kind} ${name}: ${fault.message}`, { fault: fault.fault, retry: fault.retry });
}

/** Of the Cluster's record, which comes with its first entry and goes with its last. It is owned by the sets it speaks of. */
async function change(
  { client, signal }: Acting,
  namespace: string,
  cluster: string,
  set: ClusterResourceSet | undefined,
  entriesOf: (before: readonly Entry[]) => Entry[],
): Promise<void> {
  const bindings = client.for(ClusterResourceSetBinding).in(namespace);
  const before = await ifThere(bindings.get(cluster, { signal }));
  const entries = entriesOf(before?.spec?.bindings ?? []);
  if (before === undefined) {
    if (entries.length === 0 || set === undefined) return;
    const metadata = { name: cluster, namespace, ownerReferences: [referenceTo(set)] };
    await bindings.create({ metadata, spec: { clusterName: cluster, bindings: entries } }, { signal });
    return;
  }
  const { uid = "", resourceVersion = "", ownerReferences = [] } = before.metadata;
  if (entries.length === 0) {
    await bindings.delete(cluster, { preconditions: { uid, resourceVersion }, signal });
    return;
  }
  const isSaid = ownerReferences.some((each) => each.uid === set?.metadata.uid);
  const owners = set === undefined || isSaid ? {} : { ownerReferences: [...ownerReferences, referenceTo(set)] };
  const patch = { metadata: { resourceVersion, ...owners }, spec: { clusterName: cluster, bindings: entries } };
  await bindings.patch(cluster, patch, { signal });
}

function referenceTo(set: ClusterResourceSet) {
  const { controller: _controller, blockOwnerDeletion: _block, ...reference } = ownedBy(set, false);
  return reference;
}
