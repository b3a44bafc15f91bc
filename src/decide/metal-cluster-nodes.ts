/**
 * Nodes that machines have left behind. A machine that was released while its cluster did not answer leaves its Node there, and with the next life of
 * its Server in that cluster there are two of one providerID: then nobody can tell which is the Machine's. Whose hardware it is knows which are over, as a
 * cloud's controller does.
 */
import type { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";

export interface ServerNode {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Name of the Server that it runs on, or ran on. */
  readonly server: string;
  /** Its kubelet has not been heard of for so long that Kubernetes does not know how it is. */
  readonly isSilent: boolean;
}

export interface ObservedNodes {
  readonly metalCluster: MetalCluster;
  readonly paused: string | undefined;
  readonly cluster: { readonly namespace: string; readonly name: string };
  /** Empty while the cluster cannot be reached. */
  readonly nodes: readonly ServerNode[];
  /** Servers that MetalMachines of the cluster have, or are about to have. */
  readonly held: ReadonlySet<string>;
}

export interface RemoveNode {
  readonly do: "remove-node";
  readonly metalCluster: MetalCluster;
  readonly cluster: ObservedNodes["cluster"];
  readonly node: ServerNode;
  /** For people. */
  readonly why: string;
}

export function decideNodes({ metalCluster, paused, cluster, nodes, held }: ObservedNodes): { effects: RemoveNode[] } {
  if (paused !== undefined || metalCluster.metadata.deletionTimestamp !== undefined) return { effects: [] };
  const heard = new Set(nodes.filter(({ isSilent }) => !isSilent).map(({ server }) => server));
  const effects = nodes.flatMap((node): RemoveNode[] => {
    const why = node.isSilent ? whyOver(node.server, held, heard) : undefined;
    return why === undefined ? [] : [{ do: "remove-node", metalCluster, cluster, node, why }];
  });
  return { effects };
}

function whyOver(server: string, held: ReadonlySet<string>, heard: ReadonlySet<string>): string | undefined {
  if (!held.has(server)) return `no machine of the cluster has Server ${server} any more`;
  return heard.has(server) ? `Server ${server} has another Node since` : undefined;
}
