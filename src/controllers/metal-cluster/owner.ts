/** Which Cluster a MetalCluster belongs to. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import type { Reader } from "#kube/controller.ts";

/** The Cluster that owns it; undefined while none does. */
export function ownerOf({ metadata }: MetalCluster, reader: Reader): Cluster | undefined {
  const reference = metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => kind === Cluster.kind && apiVersion.startsWith(`${Cluster.group}/`),
  );
  const cluster = reference && reader.of(Cluster).get(`${metadata.namespace}/${reference.name}`);
  return cluster?.metadata.uid === reference?.uid ? cluster : undefined;
}

/** `namespace/name` of the Cluster's MetalCluster. */
export function metalClusterOf({ metadata, spec }: Cluster): string | undefined {
  const reference = spec?.infrastructureRef;
  return reference?.kind === MetalCluster.kind ? `${metadata.namespace}/${reference.name}` : undefined;
}
