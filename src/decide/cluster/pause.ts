/** When nothing is to be done about an object of a cluster (§1.6). */
import type { KubeObject } from "#schema/meta.ts";
import { PAUSED } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Judgement } from "./external.ts";

/** The condition Paused. */
export function pausedOf(cluster: Cluster | undefined, object: KubeObject): Judgement {
  const reasons = [
    ...(cluster?.spec?.paused === true ? ["Cluster spec.paused is set to true"] : []),
    ...(object.metadata.annotations?.[PAUSED] === undefined ? [] : [`${object.kind} has the ${PAUSED} annotation`]),
  ];
  if (reasons.length === 0) return { status: "False", reason: "NotPaused", message: "" };
  return { status: "True", reason: "Paused", message: reasons.join(", ") };
}
