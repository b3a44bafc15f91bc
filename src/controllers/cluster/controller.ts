/** Cluster: brings together its infrastructure and its control plane, tells how both and the machines are, and takes all of them down in order (§2.3). */
import { decideCluster } from "#decide/cluster/decide.ts";
import type { ClusterEffect, ObservedCluster } from "#decide/cluster/observed.ts";
import { CLUSTER_FINALIZER } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import type { KindRef } from "#kube/kind.ts";
import type { Workloads } from "#kube/workload.ts";
import { act, type ClusterDoors } from "./act.ts";
import { credentialsOf } from "./kubeconfig.ts";
import { clusterKeyOf, Members } from "./members.ts";

export interface ClusterPorts extends ClusterDoors {
  readonly workloads: Workloads;
}

/** TopologyReconciled is the topology's. */
const CONDITIONS = [
  "Paused",
  "InfrastructureReady",
  "ControlPlaneInitialized",
  "ControlPlaneAvailable",
  "ControlPlaneMachinesReady",
  "ControlPlaneMachinesUpToDate",
  "RemoteConnectionProbe",
  "WorkersAvailable",
  "WorkerMachinesReady",
  "WorkerMachinesUpToDate",
  "RollingOut",
  "ScalingUp",
  "ScalingDown",
  "Remediating",
  "Deleting",
  "Available",
];
const STATUS = ["initialization", "controlPlane", "workers", "failureDomains", "phase", "observedGeneration", "deprecated"];

/** Milliseconds in which the changes of many machines become one write. */
const SETTLE = 20;

/** One per runtime. */
export function createClusterController(ports: ClusterPorts): Controller<Cluster, ObservedCluster, ClusterEffect> {
  const { externals, workloads } = ports;
  const members = new Members();
  return controller({
    name: "cluster",
    kind: Cluster,
    finalizer: CLUSTER_FINALIZER,
    reads: [
      on(Machine, ({ object }) => [clusterKeyOf(object)]),
      on(MachineSet, ({ object }) => [clusterKeyOf(object)]),
      on(MachineDeployment, ({ object }) => [clusterKeyOf(object)]),
      on(Secret, ({ key }, reader) => clusterOfSecret(key, reader)),
    ],
    writes: [
      writing(Cluster, "spec.controlPlaneEndpoint", ...STATUS.map((field) => `status.${field}`)),
      writing(Cluster, ...CONDITIONS.map((type) => `status.conditions.${type}`)),
      writing(Secret, "<cluster>-kubeconfig of a Cluster without a control plane object"),
      ...[Machine, MachineSet, MachineDeployment].map((kind: KindRef) => writing(kind, "deletion with its Cluster")),
    ],
    settle: () => SETTLE,
    listen(wake, reader) {
      const ends = [
        externals.onChange((kind, key) => {
          for (const each of members.keysReferring(kind, key, reader)) wake(each);
        }),
        workloads.onChange(({ namespace, name }, node) => {
          // Of the workload cluster it only matters whether it can be reached.
          if (node === undefined) wake(`${namespace}/${name}`);
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    observe: (reader, key, cluster) => (cluster === undefined ? undefined : observe(reader, key, cluster, members, ports)),
    decide: decideCluster,
    act: (effect, acting) => act(effect, acting, ports),
  });
}

const SUFFIXES = ["-ca", "-kubeconfig"];

function clusterOfSecret(key: string, reader: Reader): string[] {
  const names = SUFFIXES.filter((suffix) => key.endsWith(suffix)).map((suffix) => key.slice(0, -suffix.length));
  return names.filter((name) => reader.of(Cluster).get(name) !== undefined);
}

function observe(
  reader: Reader,
  key: string,
  cluster: Cluster,
  members: Members,
  { externals, workloads, pki }: ClusterPorts,
): ObservedCluster {
  const { namespace = "", name = "" } = cluster.metadata;
  const { infrastructureRef, controlPlaneRef } = cluster.spec ?? {};
  const sight = workloads.sight({ namespace, name });
  return {
    cluster,
    infrastructure: infrastructureRef && externals.look(infrastructureRef, namespace),
    controlPlane: controlPlaneRef && externals.look(controlPlaneRef, namespace),
    ...members.of(key, reader),
    credentials: credentialsOf(cluster, key, reader, pki),
    connection: { isKnown: sight.nodes !== undefined, problem: sight.problem?.message, since: sight.since },
  };
}
