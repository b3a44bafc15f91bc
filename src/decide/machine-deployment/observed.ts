/** Everything that a decision about a MachineDeployment rests on. */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";

export interface ObservedDeployment {
  readonly deployment: MachineDeployment;
  readonly cluster: Cluster | undefined;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  /** Its sets, and those that nobody has and that its selector chooses. */
  readonly sets: readonly MachineSet[];
  /** By uid of the set. */
  readonly machines: ReadonlyMap<string, readonly Machine[]>;
}
