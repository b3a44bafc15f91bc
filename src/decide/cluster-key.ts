/** Which cluster an object belongs to. */
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import type { KubeObject } from "#schema/meta.ts";

/** `namespace/name`, by the label that Cluster API puts on everything of a cluster. */
export function clusterKeyOf({ metadata: { namespace, labels } }: KubeObject): string | undefined {
  const name = labels?.[CLUSTER_NAME];
  return name === undefined || name === "" ? undefined : `${namespace}/${name}`;
}
