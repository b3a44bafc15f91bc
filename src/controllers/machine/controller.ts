/** Machine: brings together its bootstrap object, its infrastructure object and its Node, and takes all of them down (§2.4). */
import { decideMachine } from "#decide/machine/decide.ts";
import { drainMatters, lastNodeOf } from "#decide/machine/deletion.ts";
import type { MachineEffect, ObservedMachine } from "#decide/machine/observed.ts";
import type { Clock } from "#io/clock.ts";
import { MACHINE_FINALIZER, REVISION } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineDrainRule } from "#kinds/cluster/v1beta2/machine-drain-rule.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { type Externals, kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import type { Workloads } from "#kube/workload.ts";
import { equal } from "#std/json.ts";
import { act } from "./act.ts";
import { Drains } from "./drains.ts";
import { NodesByProvider } from "./nodes.ts";
import { Roster } from "./roster.ts";

export interface MachinePorts {
  readonly externals: Externals;
  readonly workloads: Workloads;
  readonly clock: Clock;
}

/** Conditions of a Machine that others judge: its owner (UpToDate, Updating) and health checks. */
const CONDITIONS = [
  "Paused",
  "BootstrapConfigReady",
  "InfrastructureReady",
  "NodeHealthy",
  "NodeReady",
  "Deleting",
  "Ready",
  "Available",
] as const;
const STATUS = [
  "initialization",
  "nodeRef",
  "nodeInfo",
  "addresses",
  "failureDomain",
  "certificatesExpiryDate",
  "phase",
  "lastUpdated",
  "observedGeneration",
  "deletion",
  "deprecated",
] as const;

/** One per runtime. */
export function createMachineController(ports: MachinePorts): Controller<Machine, ObservedMachine, MachineEffect> {
  const { externals, workloads, clock } = ports;
  const roster = new Roster();
  const nodes = new NodesByProvider(workloads);
  const drains = new Drains(ports);
  const doors = { externals, workloads, drains };
  return controller({
    name: "machine",
    kind: Machine,
    finalizer: MACHINE_FINALIZER,
    reads: [
      on(Cluster, (change, reader) => (isSameToMachines(change) ? [] : roster.keysOf(change.key, reader))),
      on(MachineSet, (change, reader) => ofRevision(change, roster, reader)),
      on(MachineDeployment, (change, reader) => {
        if (isSameRevision(change)) return [];
        const sets = [...reader.of(MachineSet).values()].filter(({ metadata }) =>
          metadata.ownerReferences?.some(({ uid }) => uid === change.object.metadata.uid),
        );
        return sets.flatMap(({ metadata }) => roster.keysOwnedBy(metadata.uid ?? "", reader));
      }),
      on(MachineDrainRule, () => []),
    ],
    writes: [
      writing(Machine, "spec.providerID", "spec.bootstrap.dataSecretName"),
      writing(Machine, ...STATUS.map((field) => `status.${field}`), ...CONDITIONS.map((type) => `status.conditions.${type}`)),
    ],
    listen(wake, reader) {
      const ends = [
        externals.onChange((kind, key) => {
          for (const each of roster.keysReferring(kind, key, reader)) wake(each);
          // Machines do not name their control plane; what they wait for is that it is known at all.
          if (key === undefined) for (const each of keysUnder(kind, roster, reader)) wake(each);
        }),
        workloads.onChange(({ namespace, name }, node) => {
          const cluster = `${namespace}/${name}`;
          const id = node?.spec?.providerID;
          if (node !== undefined && id === undefined) return;
          for (const each of id === undefined ? roster.keysOf(cluster, reader) : roster.keysOnNode(cluster, id, reader))
            wake(each);
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    async observe(reader, key, machine) {
      if (machine === undefined) {
        drains.forget(key);
        return undefined;
      }
      const base = observeMachine(reader, machine, roster, nodes, externals);
      const node = lastNodeOf(base);
      if (node === undefined || base.nodes.problem !== undefined || !drainMatters(base, clock.now()))
        return { ...base, drain: undefined };
      const { namespace = "" } = machine.metadata;
      const rules = [...reader.of(MachineDrainRule).values()].filter(({ metadata }) => metadata.namespace === namespace);
      const cluster = { namespace, name: machine.spec!.clusterName };
      return { ...base, drain: await drains.observe(key, cluster, node, rules) };
    },
    decide: decideMachine,
    act: (effect, acting) => act(effect, acting, doors),
  });
}

/** Of clusters whose control plane is of this kind. */
function keysUnder(kind: string, roster: Roster, reader: Reader): string[] {
  const clusters = [...reader.of(Cluster).values()].filter(({ spec }) => {
    const reference = spec?.controlPlaneRef;
    return reference !== undefined && kindIdOf(reference) === kind;
  });
  return clusters.flatMap((cluster) => roster.keysOf(keyOf(cluster), reader));
}

function observeMachine(
  reader: Reader,
  machine: Machine,
  roster: Roster,
  nodes: NodesByProvider,
  externals: Externals,
): Omit<ObservedMachine, "drain"> {
  const { namespace = "" } = machine.metadata;
  const { clusterName, bootstrap, infrastructureRef, providerID } = machine.spec!;
  const key = `${namespace}/${clusterName}`;
  const cluster = reader.of(Cluster).get(key);
  const controlPlaneRef = cluster?.spec?.controlPlaneRef;
  return {
    machine,
    cluster,
    bootstrap: bootstrap.configRef && externals.look(bootstrap.configRef, namespace),
    infrastructure: externals.look(infrastructureRef, namespace),
    controlPlane: controlPlaneRef && externals.look(controlPlaneRef, namespace),
    activeControlPlanes: roster.activeControlPlanes(key, reader),
    nodes: nodes.seen({ namespace, name: clusterName }, providerID),
    isOutdated: isOutdated(reader, machine),
  };
}

/** Older than the newest revision of the MachineDeployment above. */
function isOutdated(reader: Reader, { metadata }: Machine): boolean {
  const { namespace, ownerReferences = [] } = metadata;
  const above = (owners: typeof ownerReferences, kind: string): string | undefined =>
    owners.find((owner) => owner.kind === kind && owner.controller === true)?.name;
  const set = above(ownerReferences, "MachineSet");
  const machineSet = set === undefined ? undefined : reader.of(MachineSet).get(`${namespace}/${set}`);
  const name = machineSet && above(machineSet.metadata.ownerReferences ?? [], "MachineDeployment");
  const deployment = name === undefined ? undefined : reader.of(MachineDeployment).get(`${namespace}/${name}`);
  const [own, newest] = [machineSet, deployment].map((object) => Number(object?.metadata.annotations?.[REVISION]));
  return own! < newest!;
}

/** What the decision about a Machine reads of its Cluster. */
function isSameToMachines({ type, object, old }: Change<Cluster>): boolean {
  if (type !== "update" || old === undefined) return false;
  const seen = ({ metadata, spec, status }: Cluster): unknown => [
    metadata.uid,
    metadata.deletionTimestamp ?? null,
    metadata.labels ?? null,
    spec?.paused ?? false,
    spec?.controlPlaneRef ?? null,
    status?.initialization ?? null,
  ];
  return equal(seen(old), seen(object));
}

type Revised = Change<MachineSet> | Change<MachineDeployment>;

function isSameRevision({ type, object, old }: Revised): boolean {
  return type === "update" && old?.metadata.annotations?.[REVISION] === object.metadata.annotations?.[REVISION];
}

function ofRevision(change: Change<MachineSet>, roster: Roster, reader: Reader): string[] {
  return isSameRevision(change) ? [] : roster.keysOwnedBy(change.object.metadata.uid ?? "", reader);
}
