/** The control plane that an effect is about, and what all effects share. */
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { OwnerReference } from "#schema/meta.ts";

export interface Plane {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of its Cluster. */
  readonly cluster: string;
}

/** As caches and the prober name it. */
export function planeKeyOf({ namespace, name }: Plane): string {
  return `${namespace}/${name}`;
}

/** A reference to the control plane. */
export function ownerOf({ name, uid }: Plane): OwnerReference {
  const apiVersion = apiVersionOf(TalosControlPlane.group, TalosControlPlane.version);
  return { apiVersion, kind: TalosControlPlane.kind, name, uid, blockOwnerDeletion: true };
}
