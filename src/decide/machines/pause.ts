/** Why nothing is done about an object of a cluster (§1.6). */
import { PAUSED } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { KubeObject } from "#schema/meta.ts";

/** Undefined when it is not paused. */
export function pauseOf(cluster: Cluster | undefined, { kind, metadata }: KubeObject): string | undefined {
  const reasons = [
    ...(cluster?.spec?.paused === true ? ["Cluster spec.paused is set to true"] : []),
    ...(metadata.annotations?.[PAUSED] === undefined ? [] : [`${kind} has the ${PAUSED} annotation`]),
  ];
  return reasons.length === 0 ? undefined : reasons.join(", ");
}
