/** ClusterResourceSet of contract v1beta1: its conditions stand elsewhere. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { int64, object } from "#schema/kit.ts";
import { ageColumn } from "../../cluster/v1beta2/machine.ts";
import { ConditionsV1Beta2 } from "../../cluster/v1beta2/template.ts";
import { Conditions } from "../../condition.ts";
import { clusterResourceSet } from "../v1beta2/cluster-resource-set.ts";
import type { ClusterResourceSet as Hub } from "../v1beta2/cluster-resource-set.ts";

export const ClusterResourceSet = kind({
  ...clusterResourceSet,
  version: "v1beta1",
  columns: [ageColumn],
  status: object({
    observedGeneration: int64().doc("The metadata.generation that was seen last."),
    conditions: Conditions.doc("ResourcesApplied, with its severity."),
    v1beta2: object({ conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them.") }).doc(
      "Status of contract v1beta2.",
    ),
  }).doc("What is the case."),
});
export type ClusterResourceSet = Resource<typeof ClusterResourceSet>;

type Status = NonNullable<ClusterResourceSet["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function statusUp({ observedGeneration, conditions, v1beta2 }: Status): HubStatus {
  return present({
    conditions: v1beta2?.conditions,
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
    deprecated: conditions && { v1beta1: { conditions } },
  });
}

function statusDown({ observedGeneration, conditions, deprecated }: HubStatus): Status {
  return present({ observedGeneration, conditions: deprecated?.v1beta1?.conditions, v1beta2: conditions && { conditions } });
}

export const conversion = older<typeof ClusterResourceSet, typeof Hub>({
  kind: ClusterResourceSet,
  up: ({ spec, status }) => present({ spec, status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec, status: status && statusDown(status) }),
});
