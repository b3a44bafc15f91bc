/** Who a TalosConfig belongs to: its Machine, and that one's Cluster. */
import { CONTROL_PLANE, PAUSED } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosConfig as TalosConfigs } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";

export function isControlPlane({ metadata }: Machine): boolean {
  return metadata.labels !== undefined && Object.hasOwn(metadata.labels, CONTROL_PLANE);
}

/** `namespace/name` of its Cluster. */
export function clusterKeyOf({ metadata, spec }: Machine): string {
  return `${metadata.namespace}/${spec?.clusterName}`;
}

/** `namespace/name` of its TalosConfig, if that is what it is bootstrapped with. */
export function configKeyOf({ metadata, spec }: Machine): string | undefined {
  const reference = spec?.bootstrap?.configRef;
  return reference?.kind === "TalosConfig" && reference.name !== undefined
    ? `${metadata.namespace}/${reference.name}`
    : undefined;
}

/** Why nothing is to be done about an object of the cluster (facts §1.6); undefined when it is not paused. */
export function pauseOf(cluster: Cluster, object: KubeObject): string | undefined {
  const reasons = [
    ...(cluster.spec?.paused === true ? ["Cluster spec.paused is set to true"] : []),
    ...(object.metadata.annotations?.[PAUSED] === undefined ? [] : [`${object.kind} has the ${PAUSED} annotation`]),
  ];
  return reasons.length === 0 ? undefined : reasons.join(", ");
}

/** The Machine that owns the config; undefined while none does. */
export function ownerOf({ metadata }: TalosConfig, reader: Reader): Machine | undefined {
  const reference = metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => kind === "Machine" && apiVersion.startsWith("cluster.x-k8s.io/"),
  );
  const machine = reference && reader.of(Machine).get(`${metadata.namespace}/${reference.name}`);
  return machine?.metadata.uid === reference?.uid ? machine : undefined;
}

/** Machines of clusters, and the configs they are made from. One for each runtime. */
export class Members {
  #machines: Index<Machine> | undefined;

  machinesOf(cluster: string, reader: Reader): Machine[] {
    this.#machines ??= reader.of(Machine).index((machine) => [clusterKeyOf(machine)]);
    return this.#machines.get(cluster);
  }

  /** Those that are there, of the machines that `isMeant`. */
  *configsOf(cluster: string, reader: Reader, isMeant: (machine: Machine) => boolean = () => true): Generator<TalosConfig> {
    const configs = reader.of(TalosConfigs);
    for (const machine of this.machinesOf(cluster, reader)) {
      const key = isMeant(machine) ? configKeyOf(machine) : undefined;
      const config = key === undefined ? undefined : configs.get(key);
      if (config !== undefined) yield config;
    }
  }

  keysOf(cluster: string, reader: Reader, isMeant: (config: TalosConfig) => boolean = () => true): string[] {
    return [...this.configsOf(cluster, reader)].filter(isMeant).map(keyOf);
  }
}
