/** Machines and sets of clusters, found by index. One for each runtime. */
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { compileSelector, type Selector } from "#schema/selector.ts";

interface OfCluster extends KubeObject {
  spec?: { clusterName: string };
}

export function clusterKeyOf({ metadata, spec }: OfCluster): string {
  return `${metadata.namespace ?? ""}/${spec?.clusterName ?? ""}`;
}

export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export class Members {
  #machines: Index<Machine> | undefined;
  #sets: Index<MachineSet> | undefined;
  /** Compiled once for each state of a set. */
  readonly #selectors = new WeakMap<MachineSet, Selector>();

  /** The set's machines, and those that nobody has and that it would take. */
  machinesOf(set: MachineSet, reader: Reader): Machine[] {
    this.#machines ??= reader.of(Machine).index((machine) => [clusterKeyOf(machine)]);
    return this.#machines.get(clusterKeyOf(set)).filter((machine) => this.#belongs(machine, set));
  }

  setsOf(cluster: string, reader: Reader): MachineSet[] {
    this.#sets ??= reader.of(MachineSet).index((set) => [clusterKeyOf(set)]);
    return this.#sets.get(cluster);
  }

  /** Keys of the sets that a machine concerns. */
  keysOf(machine: Machine, reader: Reader): string[] {
    const owner = controllerOf(machine);
    if (owner !== undefined) return owner.kind === "MachineSet" ? [`${machine.metadata.namespace ?? ""}/${owner.name}`] : [];
    const sets = this.setsOf(clusterKeyOf(machine), reader);
    return sets.filter((set) => this.#belongs(machine, set)).map(keyOf);
  }

  #belongs(machine: Machine, set: MachineSet): boolean {
    const owner = controllerOf(machine);
    if (owner !== undefined && owner.uid !== set.metadata.uid) return false;
    const selector = this.#selectors.get(set) ?? compileSelector(set.spec?.selector ?? {});
    this.#selectors.set(set, selector);
    return !selector.isEmpty && selector.matches(machine.metadata.labels ?? {});
  }
}
