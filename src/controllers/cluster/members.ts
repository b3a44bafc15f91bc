/** What belongs to each Cluster, and which Clusters a change concerns. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";

type Member = Machine | MachineSet | MachineDeployment;

interface Indexes {
  readonly machines: Index<Machine>;
  readonly sets: Index<MachineSet>;
  readonly deployments: Index<MachineDeployment>;
  /** `Kind.group`, and with ` namespace/name` behind it. */
  readonly byReference: Index<Cluster>;
}

export function clusterKeyOf({ metadata, spec }: Member): string {
  return `${metadata.namespace}/${spec?.clusterName}`;
}

function references({ metadata, spec }: Cluster): string[] {
  const list = [spec?.infrastructureRef, spec?.controlPlaneRef].filter((reference) => reference !== undefined);
  return list.flatMap((reference) => [kindIdOf(reference), `${kindIdOf(reference)} ${metadata.namespace}/${reference.name}`]);
}

/** One for each runtime: it follows the caches of that runtime. */
export class Members {
  #indexes: Indexes | undefined;

  #of(reader: Reader): Indexes {
    return (this.#indexes ??= {
      machines: reader.of(Machine).index((machine) => [clusterKeyOf(machine)]),
      sets: reader.of(MachineSet).index((set) => [clusterKeyOf(set)]),
      deployments: reader.of(MachineDeployment).index((deployment) => [clusterKeyOf(deployment)]),
      byReference: reader.of(Cluster).index(references),
    });
  }

  of(cluster: string, reader: Reader) {
    const { machines, sets, deployments } = this.#of(reader);
    return { machines: machines.get(cluster), machineSets: sets.get(cluster), machineDeployments: deployments.get(cluster) };
  }

  keysReferring(kind: string, key: string | undefined, reader: Reader): string[] {
    return this.#of(reader)
      .byReference.get(key === undefined ? kind : `${kind} ${key}`)
      .map(keyOf);
  }
}
