/** A Cluster and everything that belongs to it, as the API has it now. */
import { CLUSTER_NAME, labelValueOf } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import type { KindRef } from "#kube/kind.ts";
import { ifThere, isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";

export interface ClusterName {
  readonly namespace: string;
  readonly name: string;
}

/** Objects of providers that are not here, or not theirs to be here, are absent. */
export interface Members {
  readonly cluster: Cluster;
  readonly metalCluster: MetalCluster | undefined;
  readonly controlPlane: TalosControlPlane | undefined;
  readonly deployments: readonly MachineDeployment[];
  readonly machines: readonly Machine[];
  /** By name. */
  readonly metalMachines: ReadonlyMap<string, MetalMachine>;
  readonly configs: ReadonlyMap<string, TalosConfig>;
  readonly servers: ReadonlyMap<string, Server>;
}

/** Objects of one page. */
const PAGE = 500;

/** Rejects with Fault `cli.not-found` when there is no such Cluster. */
export async function findCluster(client: Client, { namespace, name }: ClusterName): Promise<Cluster> {
  try {
    return await client.for(Cluster).in(namespace).get(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `there is no Cluster ${name} in namespace ${namespace} (sidero cluster get -A shows those there are)`;
    throw new Fault("cli.not-found", message, { fault: "caller", retry: "later", cause: error });
  }
}

/** Rejects as {@link findCluster}. */
export async function membersOf(client: Client, name: ClusterName): Promise<Members> {
  const cluster = await findCluster(client, name);
  const { infrastructureRef, controlPlaneRef } = cluster.spec ?? {};
  const list = <T extends KubeObject>(kind: KindRef<T>): Promise<T[]> => listOf(client, kind, name);
  const [metalCluster, controlPlane, deployments, machines, metalMachines, configs] = await Promise.all([
    infrastructureRef?.kind === "MetalCluster" ? get(client, MetalCluster, name, infrastructureRef.name) : undefined,
    controlPlaneRef?.kind === "TalosControlPlane" ? get(client, TalosControlPlane, name, controlPlaneRef.name) : undefined,
    list(MachineDeployment),
    list(Machine),
    list(MetalMachine),
    list(TalosConfig),
  ]);
  const held = metalMachines.map(({ spec }) => spec?.serverRef?.name).filter((server) => server !== undefined);
  const servers = await Promise.all(held.map((server) => ifThere(client.for(Server).get(server))));
  return {
    cluster,
    metalCluster,
    controlPlane,
    deployments: deployments.toSorted(byName),
    machines: machines.toSorted(byName),
    metalMachines: named(metalMachines),
    configs: named(configs),
    servers: named(servers.filter((server) => server !== undefined)),
  };
}

export async function listOf<T extends KubeObject>(client: Client, kind: KindRef<T>, cluster: ClusterName): Promise<T[]> {
  const labelSelector = `${CLUSTER_NAME}=${labelValueOf(cluster.name)}`;
  const found = await ifThere(client.for(kind).in(cluster.namespace).listAll({ labelSelector, limit: PAGE }));
  return found?.items ?? [];
}

function get<T extends KubeObject>(client: Client, kind: KindRef<T>, { namespace }: ClusterName, name: string) {
  return ifThere(client.for(kind).in(namespace).get(name));
}

function named<T extends KubeObject>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.metadata.name ?? "", object]));
}

function byName(a: KubeObject, b: KubeObject): number {
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}
