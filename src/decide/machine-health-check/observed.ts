/** Everything that a decision about a MachineHealthCheck rests on. */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";

/** What is read of a Node. */
export interface ObservedNode {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly lastTransitionTime?: string }[];
}

/** A request to somebody else to remedy a machine; unknown: not known yet. */
export type RemediationRequest = "there" | "missing" | "unknown";

export interface Target {
  readonly machine: Machine;
  /** Undefined: there is none of the name that the machine says. */
  readonly node: ObservedNode | undefined;
  /** Undefined when nobody else is asked. */
  readonly request: RemediationRequest | undefined;
}

export interface ObservedHealthCheck {
  readonly check: MachineHealthCheck;
  readonly cluster: Cluster | undefined;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  /** Machines that are to be looked after. */
  readonly targets: readonly Target[];
  /** False while the workload cluster cannot be seen: nothing is concluded from Nodes then. */
  readonly seesNodes: boolean;
}
