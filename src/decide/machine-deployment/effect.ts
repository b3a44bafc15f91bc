import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { OwnerReference } from "#schema/meta.ts";
import type { JsonObject } from "#std/json.ts";

export type DeploymentEffect =
  /** Merge patch of the deployment's own metadata. */
  | { readonly do: "mark-deployment"; readonly deployment: MachineDeployment; readonly metadata: JsonObject }
  | { readonly do: "adopt-set"; readonly set: MachineSet; readonly owners: readonly OwnerReference[] }
  /** `hash` gets a random end, which the set's name has too. */
  | {
      readonly do: "create-set";
      readonly deployment: MachineDeployment;
      readonly hash: string;
      readonly replicas: number;
      readonly annotations: Readonly<Record<string, string>>;
    }
  /** Merge patch. */
  | { readonly do: "change-set"; readonly set: MachineSet; readonly patch: JsonObject; readonly because: string | undefined }
  | { readonly do: "delete-set"; readonly set: MachineSet; readonly because: string };
