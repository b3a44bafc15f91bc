/** Which Machines a change concerns. */
import { CONTROL_PLANE } from "#kinds/cluster/keys.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";

interface Indexes {
  readonly byCluster: Index<Machine>;
  /** `Kind.group`, and with ` namespace/name` behind it. */
  readonly byReference: Index<Machine>;
  /** `namespace/cluster providerID`. */
  readonly byProvider: Index<Machine>;
  readonly byOwner: Index<Machine>;
}

function clusterOf({ metadata, spec }: Machine): string {
  return `${metadata.namespace}/${spec?.clusterName}`;
}

function references({ metadata, spec }: Machine): string[] {
  const list = [spec?.bootstrap.configRef, spec?.infrastructureRef].filter((reference) => reference !== undefined);
  return list.flatMap((reference) => [kindIdOf(reference), `${kindIdOf(reference)} ${metadata.namespace}/${reference.name}`]);
}

/** One for each runtime: it follows the caches of that runtime. */
export class Roster {
  #indexes: Indexes | undefined;

  #of(reader: Reader): Indexes {
    const machines = reader.of(Machine);
    return (this.#indexes ??= {
      byCluster: machines.index((machine) => [clusterOf(machine)]),
      byReference: machines.index(references),
      byProvider: machines.index((machine) => [`${clusterOf(machine)} ${machine.spec?.providerID ?? ""}`]),
      byOwner: machines.index(({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid)),
    });
  }

  machinesOf(cluster: string, reader: Reader): Machine[] {
    return this.#of(reader).byCluster.get(cluster);
  }
  /** Control plane machines that stay. */
  activeControlPlanes(cluster: string, reader: Reader): number {
    return this.machinesOf(cluster, reader).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined && metadata.labels?.[CONTROL_PLANE] !== undefined,
    ).length;
  }
  keysOf(cluster: string, reader: Reader): string[] {
    return this.machinesOf(cluster, reader).map(keyOf);
  }
  keysOwnedBy(uid: string, reader: Reader): string[] {
    return this.#of(reader).byOwner.get(uid).map(keyOf);
  }
  keysReferring(kind: string, key: string | undefined, reader: Reader): string[] {
    return this.#of(reader)
      .byReference.get(key === undefined ? kind : `${kind} ${key}`)
      .map(keyOf);
  }
  keysOnNode(cluster: string, providerID: string, reader: Reader): string[] {
    return this.#of(reader).byProvider.get(`${cluster} ${providerID}`).map(keyOf);
  }
}
