/** Nodes of workload clusters by the Server that they run on. */
import type { SeenNodes } from "#decide/metal-machine/observed.ts";
import { serverOfNode } from "#decide/metal-machine/node.ts";
import type { ClusterName, WorkloadNode, Workloads } from "#kube/workload.ts";

type ByServer = ReadonlyMap<string, readonly WorkloadNode[]>;

/** One for each list that a cluster has been seen with: machines of a large cluster do not each go through all of it. */
const indexes = new WeakMap<readonly WorkloadNode[], ByServer>();

export function nodesOf(workloads: Workloads, cluster: ClusterName, server: string): SeenNodes {
  const { nodes, problem } = workloads.sight(cluster);
  const own = nodes && (indexed(nodes).get(server) ?? []);
  return {
    problem: problem?.message,
    nodes: own?.map(({ metadata, spec }) => ({ name: metadata.name ?? "", providerID: spec?.providerID })),
  };
}

function indexed(nodes: readonly WorkloadNode[]): ByServer {
  const known = indexes.get(nodes);
  if (known !== undefined) return known;
  const index = new Map<string, WorkloadNode[]>();
  for (const node of nodes) {
    const server = serverOfNode(node);
    if (server !== undefined) index.set(server, [...(index.get(server) ?? []), node]);
  }
  indexes.set(nodes, index);
  return index;
}
