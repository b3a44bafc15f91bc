/** Everything that a decision about a MachineSet rests on. */
import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { OwnerReference } from "#schema/meta.ts";
import type { ObservedControlPlane } from "./preflight.ts";

/** A template that machines are made from. Its content is not here: it may hold secrets. */
export interface ObservedTemplate {
  readonly reference: ContractVersionedObjectReference;
  /** Undefined: it cannot be used; `problem` says why. */
  readonly owners: readonly OwnerReference[] | undefined;
  readonly problem?: string;
}

export interface ObservedMachineSet {
  readonly set: MachineSet;
  readonly cluster: Cluster | undefined;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  /** Its owner; undefined for a set that stands alone. */
  readonly deployment: MachineDeployment | undefined;
  /** Machines that the selector chooses and nobody else controls. */
  readonly machines: readonly Machine[];
  readonly templates: readonly ObservedTemplate[];
  /** Looked at only when machines are to be made. */
  readonly controlPlane: ObservedControlPlane | undefined;
}
