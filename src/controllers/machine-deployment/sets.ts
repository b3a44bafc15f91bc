/** Sets and machines of deployments, found by index. One for each runtime. */
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { compileSelector } from "#schema/selector.ts";

interface OfCluster extends KubeObject {
  spec?: { clusterName: string };
}

export function clusterKeyOf({ metadata, spec }: OfCluster): string {
  return `${metadata.namespace ?? ""}/${spec?.clusterName ?? ""}`;
}

function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export class Sets {
  #sets: Index<MachineSet> | undefined;
  #machines: Index<Machine> | undefined;
  #deployments: Index<MachineDeployment> | undefined;

  /** The deployment's sets, and those that nobody has and that it would take. */
  setsOf(deployment: MachineDeployment, reader: Reader): MachineSet[] {
    this.#sets ??= reader.of(MachineSet).index((set) => [clusterKeyOf(set)]);
    return this.#sets.get(clusterKeyOf(deployment)).filter((set) => belongs(set, deployment));
  }

  /** By uid of the set that controls them. */
  machinesOf(set: MachineSet, reader: Reader): Machine[] {
    this.#machines ??= reader.of(Machine).index((machine) => [controllerOf(machine)?.uid ?? ""]);
    return this.#machines.get(set.metadata.uid ?? "");
  }

  deploymentsOf(cluster: string, reader: Reader): MachineDeployment[] {
    this.#deployments ??= reader.of(MachineDeployment).index((deployment) => [clusterKeyOf(deployment)]);
    return this.#deployments.get(cluster);
  }

  /** Keys of the deployments that a set concerns. */
  keysOf(set: MachineSet, reader: Reader): string[] {
    const owner = controllerOf(set);
    if (owner !== undefined) return owner.kind === "MachineDeployment" ? [`${set.metadata.namespace ?? ""}/${owner.name}`] : [];
    const deployments = this.deploymentsOf(clusterKeyOf(set), reader);
    return deployments.filter((deployment) => belongs(set, deployment)).map(keyOf);
  }

  /** Keys of the deployments that a machine concerns, by way of its set. */
  keysOfMachine(machine: Machine, reader: Reader): string[] {
    const owner = controllerOf(machine);
    if (owner?.kind !== "MachineSet") return [];
    const set = reader.of(MachineSet).get(`${machine.metadata.namespace ?? ""}/${owner.name}`);
    return set === undefined ? [] : this.keysOf(set, reader);
  }
}

function belongs(set: MachineSet, { metadata, spec }: MachineDeployment): boolean {
  const owner = controllerOf(set);
  if (owner !== undefined) return owner.uid === metadata.uid;
  const selector = compileSelector(spec?.selector ?? {});
  return !selector.isEmpty && selector.matches(set.metadata.labels ?? {});
}
