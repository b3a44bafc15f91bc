/** Which Machines are a control plane's, and which control planes a Cluster's: kept as indexes, one for each runtime. */
import { CLUSTER_NAME, CONTROL_PLANE } from "#kinds/cluster/keys.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { TalosControlPlane as TalosControlPlanes } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";

export class Members {
  #machines: Index<Machine> | undefined;
  #planes: Index<TalosControlPlane> | undefined;

  /** By name. Those that another owner controls are its. */
  machinesOf(cluster: string, uid: string, reader: Reader): Machine[] {
    this.#machines ??= reader.of(Machine).index((machine) => labelledKeysOf(machine));
    const own = this.#machines.get(cluster).filter(({ metadata }) => {
      const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
      return controller === undefined || controller.uid === uid;
    });
    return own.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** Keys of the control planes of a Cluster (`namespace/name`); there is one. */
  planesOf(cluster: string, reader: Reader): string[] {
    this.#planes ??= reader.of(TalosControlPlanes).index((plane) => [clusterKeyOf(plane) ?? ""]);
    return this.#planes.get(cluster).map(keyOf);
  }

  /** Those of the cluster that a control plane's object is labelled with. */
  planesOfLabelled(object: KubeObject, reader: Reader): string[] {
    return labelledKeysOf(object).flatMap((cluster) => this.planesOf(cluster, reader));
  }
}

/** The Cluster that owns it, or that it is labelled with: its machines are found, and go with it, whoever has taken its owner away. */
export function clusterKeyOf({ metadata }: TalosControlPlane): string | undefined {
  const owner = metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => kind === "Cluster" && apiVersion.startsWith("cluster.x-k8s.io/"),
  );
  const name = owner?.name ?? metadata.labels?.[CLUSTER_NAME];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}

function labelledKeysOf({ metadata: { namespace, labels } }: KubeObject): string[] {
  const cluster = labels?.[CLUSTER_NAME];
  return cluster === undefined || labels?.[CONTROL_PLANE] === undefined ? [] : [`${namespace}/${cluster}`];
}
