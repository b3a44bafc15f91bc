/** What a decision about a Cluster rests on. */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { CONTROL_PLANE } from "#kinds/cluster/keys.ts";
import type { Look, Reference } from "./external.ts";
import type { Credentials } from "./kubeconfig.ts";
import { controllerOf, type Ownership } from "./owner.ts";

export interface ObservedCluster {
  readonly cluster: Cluster;
  /** Undefined: it refers to none. */
  readonly infrastructure: Look | undefined;
  readonly controlPlane: Look | undefined;
  /** All that say they are the Cluster's. */
  readonly machines: readonly Machine[];
  readonly machineSets: readonly MachineSet[];
  readonly machineDeployments: readonly MachineDeployment[];
  /** Of no account where a control plane object makes them. */
  readonly credentials: Credentials;
  readonly connection: {
    /** Its API server has been seen once. */
    readonly isKnown: boolean;
    /** Why it cannot be reached now, and since when (milliseconds since 1970). */
    readonly problem: string | undefined;
    readonly since: number | undefined;
  };
}

export type Child = "Machine" | "MachineSet" | "MachineDeployment";

export type ClusterEffect =
  | {
      readonly do: "patch";
      readonly namespace: string;
      readonly name: string;
      readonly patch: { readonly metadata: { readonly resourceVersion: string }; readonly spec: object };
    }
  | {
      readonly do: "own";
      readonly namespace: string;
      readonly reference: Reference;
      readonly resourceVersion: string;
      readonly ownership: Ownership;
    }
  /** The Secret with access to the cluster; for one that has no control plane object. */
  | { readonly do: "kubeconfig"; readonly cluster: Cluster; readonly server: string }
  | { readonly do: "delete-external"; readonly namespace: string; readonly reference: Reference; readonly uid: string }
  | { readonly do: "delete-child"; readonly kind: Child; readonly namespace: string; readonly name: string; readonly uid: string }
  | {
      readonly do: "tell";
      readonly about: Cluster;
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

export function isControlPlane({ metadata }: Machine): boolean {
  return metadata.labels?.[CONTROL_PLANE] !== undefined;
}

/** Workers that are of no set. */
export function looseWorkers({ machines }: ObservedCluster): Machine[] {
  return machines.filter((machine) => !isControlPlane(machine) && controllerOf(machine)?.kind !== "MachineSet");
}

/** Sets that are of no deployment. */
export function looseSets({ machineSets }: ObservedCluster): MachineSet[] {
  return machineSets.filter((set) => controllerOf(set)?.kind !== "MachineDeployment");
}
