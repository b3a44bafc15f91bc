/** Takes Nodes out of workload clusters that machines have left behind there. */
import { clusterKeyOf } from "#decide/cluster-key.ts";
import { decideNodes, type ObservedNodes, type RemoveNode, type ServerNode } from "#decide/metal-cluster-nodes.ts";
import { serverOf } from "#decide/metal-machine/binding.ts";
import { serverOfNode } from "#decide/metal-machine/node.ts";
import { pauseOf } from "#decide/pause.ts";
import { MANAGED_BY } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { type Acting, type Controller, controller, on, type Reader } from "#kube/controller.ts";
import { ifThere } from "#kube/status.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import type { WorkloadNode, Workloads } from "#kube/workload.ts";
import { metalClusterOf, ownerOf } from "./owner.ts";

/** Milliseconds in which the changes of many Nodes become one look at all of a cluster's. Nobody waits for this. */
const SETTLE = 1000;

export function createMetalClusterNodesController(workloads: Workloads): Controller<MetalCluster, ObservedNodes, RemoveNode> {
  return controller<MetalCluster, ObservedNodes, RemoveNode>({
    name: "metal-cluster-nodes",
    kind: MetalCluster,
    reads: [
      on(Cluster, ({ object }) => [metalClusterOf(object) ?? []].flat()),
      on(MetalMachine, ({ type, object }, reader) => (type === "delete" ? keysOf(clusterKeyOf(object), reader) : [])),
    ],
    writes: [],
    listen: (wake, reader) =>
      workloads.onChange(({ namespace, name }, node) => {
        if (node === undefined || isSilent(node)) for (const key of keysOf(`${namespace}/${name}`, reader)) wake(key);
      }),
    settle: () => SETTLE,
    observe: (reader, _key, metalCluster) => observe(reader, metalCluster, workloads),
    decide: decideNodes,
    act: (effect, acting) => remove(effect, acting, workloads),
  });
}

function observe(reader: Reader, metalCluster: MetalCluster | undefined, workloads: Workloads): ObservedNodes | undefined {
  if (metalCluster === undefined || metalCluster.metadata.annotations?.[MANAGED_BY] !== undefined) return undefined;
  const owner = ownerOf(metalCluster, reader);
  if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return undefined;
  const { namespace = "", name = "" } = owner.metadata;
  const cluster = { namespace, name };
  const { nodes = [], problem } = workloads.sight(cluster);
  const seen = problem === undefined ? nodes.flatMap(seenAs) : [];
  return { metalCluster, paused: pauseOf(owner, metalCluster), cluster, nodes: seen, held: heldBy(namespace, name, reader) };
}

function seenAs(node: WorkloadNode): ServerNode[] {
  const { name = "", uid = "", resourceVersion = "" } = node.metadata;
  const server = serverOfNode(node);
  return server === undefined ? [] : [{ name, uid, resourceVersion, server, isSilent: isSilent(node) }];
}

function isSilent({ status }: WorkloadNode): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "Unknown";
}

/** One without the label may be anybody's in its namespace. */
function heldBy(namespace: string, name: string, reader: Reader): Set<string> {
  const own = [...reader.of(MetalMachine).values()].filter(
    (machine) =>
      machine.metadata.namespace === namespace && (clusterKeyOf(machine) ?? `${namespace}/${name}`) === `${namespace}/${name}`,
  );
  return new Set(own.flatMap(({ spec }) => spec?.serverRef?.name ?? serverOf(spec?.providerID) ?? []));
}

function keysOf(cluster: string | undefined, reader: Reader): string[] {
  const object = cluster === undefined ? undefined : reader.of(Cluster).get(cluster);
  return object === undefined ? [] : [metalClusterOf(object) ?? []].flat();
}

/** As it was seen: a kubelet that has come back meanwhile keeps its Node. */
async function remove(
  { metalCluster, cluster, node, why }: RemoveNode,
  { events, signal }: Acting,
  workloads: Workloads,
): Promise<void> {
  const client = await workloads.client(cluster);
  const { name, uid, resourceVersion } = node;
  await ifThere(client.for(WorkloadNodes).delete(name, { preconditions: { uid, resourceVersion }, signal }));
  events.record(metalCluster, { type: "Normal", reason: "NodeRemoved", message: `Node ${name} is removed: ${why}.` });
}
