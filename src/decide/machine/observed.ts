/** What a decision about a Machine rests on. */
import type { OwnerReference } from "#schema/meta.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Ownership } from "../cluster/owner.ts";
import type { Look, Reference } from "../cluster/external.ts";
import type { DrainObserved, PodName } from "./drain.ts";

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** A Node of the workload cluster, as far as Machines go into it. */
export interface NodeFacts {
  readonly metadata: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly providerID?: string; readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly nodeInfo?: Readonly<Record<string, unknown>>;
    readonly volumesAttached?: readonly { readonly name: string }[];
  };
}

export interface NodesSeen {
  /** Those that carry the Machine's providerID; undefined: no Nodes have been seen yet. */
  readonly found: readonly NodeFacts[] | undefined;
  /** Why the workload cluster cannot be reached now, and since when (milliseconds since 1970). */
  readonly problem: string | undefined;
  readonly since: number | undefined;
}

export interface ObservedMachine {
  readonly machine: Machine;
  readonly cluster: Cluster | undefined;
  /** Undefined: the Secret was given by name. */
  readonly bootstrap: Look | undefined;
  readonly infrastructure: Look;
  /** Of the Cluster; undefined: it has none. */
  readonly controlPlane: Look | undefined;
  /** Control plane machines of the cluster that are not being deleted. */
  readonly activeControlPlanes: number;
  readonly nodes: NodesSeen;
  /** The set it belongs to is older than its MachineDeployment's newest. */
  readonly isOutdated: boolean;
  /** Pods and volumes on the Node of a Machine that is being deleted; undefined while they do not matter. */
  readonly drain: DrainObserved | undefined;
}

export type MachineEffect =
  /** Fields of the Machine itself; as long as it is what it was. */
  | {
      readonly do: "patch";
      readonly namespace: string;
      readonly name: string;
      readonly patch: { readonly metadata: { readonly resourceVersion: string } & Partial<Ownership>; readonly spec?: object };
    }
  | {
      readonly do: "own";
      readonly namespace: string;
      readonly reference: Reference;
      readonly resourceVersion: string;
      readonly ownership: Ownership;
    }
  | { readonly do: "delete-external"; readonly namespace: string; readonly reference: Reference; readonly uid: string }
  /** A merge patch of the Node, with its resourceVersion. */
  | {
      readonly do: "patch-node";
      readonly namespace: string;
      readonly cluster: string;
      readonly node: string;
      readonly patch: object;
    }
  | {
      readonly do: "evict";
      readonly machine: string;
      readonly namespace: string;
      readonly cluster: string;
      readonly pods: readonly PodName[];
      /** Seconds, where the pods' own grace is of no use: their node does not answer. */
      readonly graceSeconds?: number;
    }
  | { readonly do: "delete-node"; readonly namespace: string; readonly cluster: string; readonly node: string }
  | {
      readonly do: "tell";
      readonly about: Machine;
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

export type { OwnerReference };
