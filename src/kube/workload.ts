/**
 * The clusters that are made here, as their controllers reach them: by the Secret `<cluster>-kubeconfig` beside the Cluster (Cluster API
 * contract). One connection and one watch of Nodes for each cluster, however many machines ask.
 */
import type { KubeObject } from "#schema/meta.ts";
import type { Fault } from "#std/fault.ts";
import type { Client } from "./client.ts";

export interface ClusterName {
  readonly namespace: string;
  readonly name: string;
}

/** What is read of a Node. */
export interface WorkloadNode extends KubeObject {
  readonly spec?: {
    readonly providerID?: string;
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly nodeInfo?: Readonly<Record<string, string>>;
  };
}

/** A cluster as it was last seen. */
export interface Sight {
  /** Undefined until they have been listed once; kept, though old, while the cluster cannot be reached. */
  readonly nodes: readonly WorkloadNode[] | undefined;
  /** Why it cannot be reached now; undefined while its watch is open. */
  readonly problem: Fault | undefined;
  /** Since when the problem has been there, in milliseconds since 1970. */
  readonly since: number | undefined;
}

export interface Workloads {
  /** Never waits. The first call begins to follow the cluster's Nodes. */
  sight(cluster: ClusterName): Sight;
  /** For writes, and reads that must be of this moment. Fault `kube.workload` while there is no kubeconfig, or none that can be read. */
  client(cluster: ClusterName): Promise<Client>;
  /** Called when a cluster's sight has changed; `node` is the one that did, if it was one. Returns what ends that. */
  onChange(listener: (cluster: ClusterName, node?: WorkloadNode) => void): () => void;
}
