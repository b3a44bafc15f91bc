import type { Entropy } from "#io/entropy.ts";
import type { ContractKinds } from "#kube/contract.ts";
import type { Externals } from "#kube/externals.ts";

export interface MachineSetPorts {
  readonly kinds: ContractKinds;
  /** Templates and control planes as they were last seen. */
  readonly externals: Externals;
  /** Names of machines. */
  readonly entropy: Entropy;
}
