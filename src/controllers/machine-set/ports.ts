import type { Entropy } from "#io/entropy.ts";
import type { ContractKinds } from "#kube/contract.ts";

export interface MachineSetPorts {
  readonly kinds: ContractKinds;
  /** Names of machines. */
  readonly entropy: Entropy;
}
