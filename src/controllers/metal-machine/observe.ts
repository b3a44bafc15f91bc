/** Everything that a MetalMachine is decided on, gathered from caches and ports. */
import { clusterKeyOf } from "#decide/cluster-key.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { ownBinding, serverOf } from "#decide/metal-machine/binding.ts";
import type { ObservedMetalMachine, SeenServer, Surroundings } from "#decide/metal-machine/observed.ts";
import { isPicked } from "#decide/metal-machine/picked.ts";
import { FINALIZER } from "#decide/metal-machine/decide.ts";
import { wishOf } from "#decide/metal-machine/wish.ts";
import { pauseOf } from "#decide/pause.ts";
import { PAUSED } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import type { Workloads } from "#kube/workload.ts";
import { nodesOf } from "./nodes.ts";
import { ownerOf } from "./owners.ts";
import type { Pools } from "./pools.ts";

export class Observer {
  readonly #pools: Pools;
  readonly #workloads: Workloads | undefined;
  #bindings: Index<ServerBinding> | undefined;

  constructor(pools: Pools, workloads: Workloads | undefined) {
    this.#pools = pools;
    this.#workloads = workloads;
  }

  observe(reader: Reader, key: string, machine: MetalMachine | undefined): ObservedMetalMachine | undefined {
    if (machine === undefined) return undefined;
    const surroundings = this.#surroundings(reader, key, machine);
    if (surroundings.owner === undefined && !isOurs(machine)) return undefined;
    const wish = wishOf(surroundings);
    if (wish !== undefined) return { ...surroundings, offer: this.#pools.offer(key, wish, reader) };
    this.#pools.withdraw(key, reader);
    return { ...surroundings, offer: undefined };
  }

  #surroundings(reader: Reader, key: string, machine: MetalMachine): Surroundings {
    const owner = ownerOf(machine, reader);
    const cluster = reader.of(Cluster).get(clusterKeyOf(machine) ?? clusterKeyOf(owner ?? machine) ?? "");
    this.#bindings ??= reader.of(ServerBinding).index((binding) => [holderOf(binding)]);
    const bindings = this.#bindings.get(key);
    const held = ownBinding(machine, bindings)?.metadata.name;
    const { serverRef, providerID } = machine.spec ?? {};
    const server = held ?? (serverRef?.name || serverOf(providerID));
    const { namespace = "", name = "" } = cluster?.metadata ?? {};
    const isWatched = held !== undefined && cluster !== undefined && cluster.metadata.deletionTimestamp === undefined;
    return {
      machine,
      paused: pauseOf(cluster, machine),
      owner: owner && {
        name: owner.metadata.name ?? "",
        hasData: (owner.spec?.bootstrap.dataSecretName ?? "") !== "",
        providerID: owner.spec?.providerID,
        failureDomain: owner.spec?.failureDomain,
      },
      cluster: cluster && { name, isProvisioned: cluster.status?.initialization?.infrastructureProvisioned === true },
      bindings,
      server: server === undefined ? undefined : this.#seen(server, machine, reader),
      nodes: isWatched && this.#workloads !== undefined ? nodesOf(this.#workloads, { namespace, name }, held) : undefined,
    };
  }

  #seen(name: string, machine: MetalMachine, reader: Reader): SeenServer {
    const server = reader.of(Server).get(name);
    const wipe = server?.status?.wipe?.state;
    return {
      name,
      isThere: server !== undefined,
      withoutBmc: withoutBmc(server),
      failureDomain: server && failureDomainOf(server),
      refusal: this.#pools.refusal(name, isPicked(machine), reader),
      mayRun: server !== undefined && reader.of(ServerBinding).get(name) === undefined && mayRun(server),
      isToBeWiped: wipe === "ordered" || wipe === "started",
    };
  }
}

function withoutBmc(server: Server | undefined): SeenServer["withoutBmc"] {
  const isTold = server?.spec === undefined || server.spec.bmc !== undefined || server.spec.managementApi !== undefined;
  return isTold ? undefined : { resourceVersion: server.metadata.resourceVersion ?? "" };
}

const OF_A_SYSTEM: ReadonlySet<string | undefined> = new Set(["Allocated", "Installing", "Running", "Releasing"]);

/** What was installed on it: a wipe that has begun, or power that is off, says that it does not. */
export function mayRun({ spec, status, metadata }: Server): boolean {
  const isLeftAlone =
    spec?.accepted !== true || metadata.annotations?.[PAUSED] !== undefined || metadata.deletionTimestamp !== undefined;
  return !isLeftAlone && status?.power !== "off" && OF_A_SYSTEM.has(status?.phase);
}

/** Contract: nothing is done before its Machine has taken it, which writes it meanwhile. Then it is ours to the end. */
function isOurs({ metadata: { finalizers = [], deletionTimestamp } }: MetalMachine): boolean {
  return finalizers.includes(FINALIZER) || deletionTimestamp !== undefined;
}

/** `namespace/name` of the MetalMachine. */
export function holderOf({ spec }: ServerBinding): string {
  return `${spec?.metalMachineRef.namespace ?? ""}/${spec?.metalMachineRef.name ?? ""}`;
}
