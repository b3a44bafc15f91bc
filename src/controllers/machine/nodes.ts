/** Nodes of workload clusters by their providerID, looked up in a list that is made once for each state of a cluster. */
import type { NodesSeen } from "#decide/machine/observed.ts";
import type { ClusterName, Sight, WorkloadNode, Workloads } from "#kube/workload.ts";

export class NodesByProvider {
  readonly #workloads: Workloads;
  readonly #made = new WeakMap<readonly WorkloadNode[], Map<string, WorkloadNode[]>>();

  constructor(workloads: Workloads) {
    this.#workloads = workloads;
  }

  /** What is seen of the Node of a machine, or would be. */
  seen(cluster: ClusterName, providerID: string | undefined): NodesSeen {
    const sight = this.#workloads.sight(cluster);
    const found = providerID === undefined ? [] : this.#byProvider(sight)?.get(providerID);
    return {
      found: sight.nodes === undefined ? undefined : (found ?? []),
      problem: sight.problem?.message,
      since: sight.since,
    };
  }

  #byProvider({ nodes }: Sight): Map<string, WorkloadNode[]> | undefined {
    if (nodes === undefined) return undefined;
    let map = this.#made.get(nodes);
    if (map === undefined) {
      map = Map.groupBy(nodes, (node) => node.spec?.providerID ?? "");
      this.#made.set(nodes, map);
    }
    return map;
  }
}
