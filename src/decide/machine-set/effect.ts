import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { OwnerReference } from "#schema/meta.ts";
import type { Condition } from "#kinds/condition.ts";
import type { JsonObject } from "#std/json.ts";

export type MachineSetEffect =
  /** Merge patch of the set's own metadata. */
  | { readonly do: "mark-set"; readonly set: MachineSet; readonly metadata: JsonObject }
  | {
      readonly do: "own-template";
      readonly reference: ContractVersionedObjectReference;
      readonly namespace: string;
      readonly owners: readonly OwnerReference[];
    }
  | { readonly do: "adopt"; readonly machine: Machine; readonly owners: readonly OwnerReference[] }
  /** Its bootstrap and infrastructure objects first, under the same name. */
  | {
      readonly do: "create-machine";
      readonly set: MachineSet;
      readonly cluster: Cluster;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    }
  /** Merge patches: of the Machine, and the metadata of its two objects. */
  | { readonly do: "sync"; readonly machine: Machine; readonly patch: JsonObject; readonly objects: JsonObject | undefined }
  /** A condition of the Machine that is its set's to say. */
  | { readonly do: "tell"; readonly machine: Machine; readonly conditions: readonly Condition[] }
  | { readonly do: "delete-machine"; readonly machine: Machine; readonly because: string };
