/** The topology of Clusters: makes, and keeps, what a ClusterClass says a cluster consists of. */
import { decideTopology, type TopologyEffect } from "#decide/topology/decide.ts";
import { type ObservedTopology, templatesOf } from "#decide/topology/observed.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { ClusterClass } from "#kinds/cluster/v1beta2/cluster-class.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { Index } from "#kube/cache.ts";
import type { ContractKinds } from "#kube/contract.ts";
import { type Acting, type Controller, controller, on, type Reader, REFERENCED, writing } from "#kube/controller.ts";
import { type Externals, kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import { applyJsonPatch, decodeJsonPatch } from "#kube/patch/json-patch.ts";
import { isAlreadyExists, isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { classKeyOf, clusterKeyOf, isOwned, Made, observeTopology, referenceTo } from "./observe.ts";

export interface TopologyPorts {
  readonly kinds: ContractKinds;
  readonly externals: Externals;
}

/** Milliseconds in which the changes of a cluster's parts become one look. */
const SETTLE = 100;

/** One per runtime: it indexes the caches of that runtime. */
export function createTopologyController(ports: TopologyPorts): Controller<Cluster, ObservedTopology, TopologyEffect> {
  const { externals, kinds } = ports;
  const made = new Made();
  let byClass: Index<Cluster> | undefined;
  return controller({
    name: "cluster-topology",
    kind: Cluster,
    settle: () => SETTLE,
    reads: [
      on(Cluster),
      on(ClusterClass, ({ key }, reader) => {
        byClass ??= reader.of(Cluster).index((cluster) => [classKeyOf(cluster) ?? ""]);
        return byClass.get(key).map(keyOf);
      }),
      on(MachineDeployment, ({ object }) => (isOwned(object) ? [clusterKeyOf(object)] : [])),
      on(MachineSet, ({ type, object }) => (type === "delete" && isOwned(object) ? [clusterKeyOf(object)] : [])),
      on(MachineHealthCheck, ({ object }) => (isOwned(object) ? [clusterKeyOf(object)] : [])),
    ],
    writes: [
      writing(Cluster, "spec.infrastructureRef", "spec.controlPlaneRef", "status.conditions.TopologyReconciled"),
      writing(REFERENCED, "objects of a topology"),
    ],
    listen: (wake, reader) =>
      externals.onChange((kind) => {
        for (const cluster of reader.of(Cluster).values()) if (looksAt(cluster, kind, reader)) wake(keyOf(cluster));
      }),
    observe: (reader, _key, cluster) => observeTopology(reader, cluster, made, externals),
    decide: (observed: ObservedTopology, now) => decideTopology(observed, apply, now),
    act: (effect, acting) => act(effect, acting, kinds),
  });
}

/** Objects of this kind (`Kind.group`) are among those that the topology rests on. Machines' own are not, which change most often. */
function looksAt(cluster: Cluster, kind: string, reader: Reader): boolean {
  const classKey = classKeyOf(cluster);
  if (classKey === undefined) return false;
  const { spec } = cluster;
  const clusterClass = reader.of(ClusterClass).get(classKey);
  const references = [spec?.infrastructureRef, spec?.controlPlaneRef].filter((reference) => reference !== undefined);
  const templates = (clusterClass === undefined ? [] : templatesOf(clusterClass)).map(referenceTo);
  return [...references, ...templates].some((reference) => kindIdOf(reference) === kind);
}

function apply(document: Json, operations: readonly JsonObject[]): Json {
  return applyJsonPatch(document, decodeJsonPatch([...operations]));
}

/** One effect; each is harmless when it has already happened. */
async function act(effect: TopologyEffect, { client, events, signal }: Acting, kinds: ContractKinds): Promise<void> {
  if (effect.do === "refer") {
    const { namespace = "", name = "" } = effect.cluster.metadata;
    await client.for(Cluster).in(namespace).patch(name, { spec: effect.spec }, { signal });
    events.record(effect.cluster, { type: "Normal", reason: "TopologyCreate", message: "made infrastructure and control plane" });
    return;
  }
  const { target } = effect;
  const kind = await kinds.ofObject({ ...target, metadata: {} }, { signal });
  const objects = client.for<KubeObject>(kind).in(target.namespace);
  try {
    if (effect.do === "create") await objects.create(effect.object.reveal(), { signal });
    else if (effect.do === "change") await objects.patch(target.name, effect.patch.reveal(), { signal });
    else await objects.delete(target.name, { preconditions: { uid: effect.uid }, signal });
  } catch (error) {
    const isDone = effect.do === "create" ? isAlreadyExists(error) : isNotFound(error);
    if (!isDone) throw error;
  }
}
