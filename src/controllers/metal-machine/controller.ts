/** MetalMachine: gets a Server for a Machine of Cluster API, follows it, and gives it back. */
import { clusterKeyOf } from "#decide/cluster-key.ts";
import { exclusionOf, refusalOf } from "#decide/allocation/exclusion.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { decideMetalMachine, FINALIZER } from "#decide/metal-machine/decide.ts";
import type { MetalMachineEffect } from "#decide/metal-machine/effect.ts";
import { PROVIDER_SET } from "#decide/metal-machine/status.ts";
import type { ObservedMetalMachine } from "#decide/metal-machine/observed.ts";
import type { Clock } from "#io/clock.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Change, Index } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { WorkloadNode, Workloads } from "#kube/workload.ts";
import { findCondition } from "#schema/condition.ts";
import { equal } from "#std/json.ts";
import { act } from "./act.ts";
import { serverOfNode } from "#decide/metal-machine/node.ts";
import { holderOf, mayRun, Observer } from "./observe.ts";
import { clusterMatters, metalMachineOf } from "./owners.ts";
import { Pools, type Woken } from "./pools.ts";
import { Tidings } from "./tidings.ts";

export interface MetalMachineOptions {
  readonly clock: Clock;
  /** Absent where workload clusters are none of ours: nothing is said of Nodes. */
  readonly workloads?: Workloads;
  /** Keys worked on at a time. */
  readonly concurrency?: number;
  readonly pools?: Pools;
}

/** One per runtime: it follows the caches of that runtime. */
export function createMetalMachineController(
  options: MetalMachineOptions,
): Controller<MetalMachine, ObservedMetalMachine, MetalMachineEffect> {
  const { clock, workloads, concurrency, pools = new Pools() } = options;
  const observer = new Observer(pools, workloads);
  const tidings = new Tidings(clock, (serverClass) => pools.waitingFor(serverClass));
  let members: Index<MetalMachine> | undefined;

  const membersOf = (cluster: string, reader: Reader): MetalMachine[] => {
    members ??= reader.of(MetalMachine).index((machine) => [clusterKeyOf(machine) ?? ""]);
    return members.get(cluster);
  };
  const told = ({ keys, classes }: Woken): readonly string[] => {
    tidings.of(classes);
    return keys;
  };

  return controller<MetalMachine, ObservedMetalMachine, MetalMachineEffect>({
    name: "metal-machine",
    kind: MetalMachine,
    ...(concurrency !== undefined && { concurrency }),
    reads: [
      on(MetalMachine, (change, reader) => [change.key, ...told(pools.machineChanged(change, reader))]),
      on(ServerBinding, (change, reader) => [
        ...concerned(change, pools.namersOf(change.key, reader)),
        ...told(pools.bindingChanged(change, reader)),
      ]),
      on(Server, (change, reader) => [
        ...(serverMatters(change) ? concernedBy(change.key, pools, reader) : []),
        ...told(pools.serverChanged(change, reader)),
      ]),
      on(ServerClass, (change) => told(pools.classChanged(change))),
      on(Machine, (change) => (machineMatters(change) ? [metalMachineOf(change.object) ?? []].flat() : [])),
      on(Cluster, (change, reader) => (clusterMatters(change) ? membersOf(change.key, reader).map(keyOf) : [])),
    ],
    writes: [
      writing(MetalMachine, "metadata.annotations", "spec.serverRef", "spec.providerID", "status"),
      writing(Server, "spec.bmc"),
      writing(ServerBinding, "metadata.labels", "spec.serverClassRef", "spec.metalMachineRef"),
    ],
    finalizer: FINALIZER,
    listen(wake, reader) {
      const wakeAll = (keys: readonly string[]): void => keys.forEach((key) => wake(key));
      pools.onFree = (woken) => wakeAll(told(woken));
      const silence = tidings.listen(wakeAll);
      const deaf = workloads?.onChange(({ namespace, name }, node) => {
        const server = node && serverOfNode(node);
        const binding = server === undefined ? undefined : reader.of(ServerBinding).get(server);
        if (binding !== undefined && (isUnset(node!) || !isToldOf(reader.of(MetalMachine).get(holderOf(binding)))))
          wake(holderOf(binding));
        else if (node === undefined) wakeAll(membersOf(`${namespace}/${name}`, reader).map(keyOf));
      });
      return () => {
        pools.onFree = () => {};
        silence();
        deaf?.();
      };
    },
    observe: (reader, key, machine) => observer.observe(reader, key, machine),
    decide: decideMetalMachine,
    act: (effect, acting) => act(effect, acting, workloads),
  });
}

/** Whose binding it is, and was; and who waits for its Server. */
function concerned({ type, object, old }: Change<ServerBinding>, namers: readonly string[]): string[] {
  const holders = [object, ...(old ? [old] : [])].map(holderOf);
  return [...new Set([...holders, ...(type === "update" ? [] : namers)])];
}

/** What the MetalMachine that holds or names a Server sees of it. */
function serverMatters({ type, object, old }: Change<Server>): boolean {
  if (type !== "update" || old === undefined) return true;
  const seen = (server: Server) =>
    [
      server.spec?.bmc === undefined,
      failureDomainOf(server) ?? "",
      refusalOf(server) ?? "",
      exclusionOf(server) ?? "",
      mayRun(server),
    ].join("/");
  return seen(old) !== seen(object);
}

function concernedBy(server: string, pools: Pools, reader: Reader): string[] {
  const binding = reader.of(ServerBinding).get(server);
  return binding === undefined ? pools.namersOf(server, reader) : [holderOf(binding), ...pools.namersOf(server, reader)];
}

function isUnset({ spec }: WorkloadNode): boolean {
  return (spec?.providerID ?? "") === "";
}

/** Its Node is known: what else happens to that, which is something every few seconds, is not ours to follow. */
function isToldOf(machine: MetalMachine | undefined): boolean {
  return findCondition(machine?.status?.conditions ?? [], PROVIDER_SET)?.status === "True";
}

function machineMatters({ type, object, old }: Change<Machine>): boolean {
  if (type !== "update" || old === undefined) return true;
  return !equal(old.spec, object.spec);
}
