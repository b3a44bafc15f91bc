/** Cluster API's ways to have an object left alone (contract §1.6). */
import { PAUSED } from "#kinds/cluster/keys.ts";
import type { KubeObject } from "#schema/meta.ts";

/** Why nothing is to be done about an object of the cluster; undefined when it is not paused. */
export function pauseOf(
  cluster: { readonly spec?: { readonly paused?: boolean } } | undefined,
  object: KubeObject,
): string | undefined {
  const reasons = [
    ...(cluster?.spec?.paused === true ? ["Cluster spec.paused is set to true"] : []),
    ...(object.metadata.annotations?.[PAUSED] === undefined ? [] : [`${object.kind} has the ${PAUSED} annotation`]),
  ];
  return reasons.length === 0 ? undefined : reasons.join(", ");
}
