/** ClusterResourceSetBinding of contract v1beta1: the same. */
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import { clusterResourceSetBinding } from "../v1beta2/cluster-resource-set-binding.ts";
import type { ClusterResourceSetBinding as Hub } from "../v1beta2/cluster-resource-set-binding.ts";

export const ClusterResourceSetBinding = kind({ ...clusterResourceSetBinding, version: "v1beta1" });

export const conversion = older<typeof ClusterResourceSetBinding, typeof Hub>({
  kind: ClusterResourceSetBinding,
  up: (body) => body,
  down: (body) => body,
});
