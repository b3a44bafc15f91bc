/** `sidero cluster scale`: how many machines a cluster is to have. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { Fault } from "#std/fault.ts";
import type { Terminal } from "../terminal.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { findCluster, listOf } from "./members.ts";
import type { ClusterName } from "./members.ts";

export interface Scale {
  readonly controlPlanes?: number;
  readonly workers?: number;
  /** Name of the MachineDeployment, where there are several. */
  readonly deployment?: string;
}

/** Rejects as `findCluster`, with Fault `cli.usage` for what cannot be meant, and with those of the API. */
export async function scale(name: ClusterName, { controlPlanes, workers, deployment }: Scale, terminal: Terminal): Promise<void> {
  if (controlPlanes === undefined && workers === undefined) throw usage("how many? --control-planes or --workers");
  if (controlPlanes === 0) throw usage("--control-planes: the last one only goes with the cluster (sidero cluster delete)");
  const cluster = await findCluster(terminal.client, name);
  if (controlPlanes !== undefined) await scaleControlPlane(cluster, controlPlanes, terminal);
  if (workers !== undefined) await scaleWorkers(cluster, name, workers, deployment, terminal);
}

async function scaleControlPlane(
  { metadata, spec }: Cluster,
  replicas: number,
  { client, print, style }: Terminal,
): Promise<void> {
  const { namespace = "", name = "" } = metadata;
  if (replicas % 2 === 0)
    print(style("yellow", `${replicas} control plane machines tolerate no more failures than ${replicas - 1}`));
  if (spec?.topology !== undefined) {
    await client
      .for(Cluster)
      .in(namespace)
      .patch(name, { spec: { topology: { controlPlane: { replicas } } } });
  } else {
    const reference = spec?.controlPlaneRef;
    if (reference?.kind !== "TalosControlPlane") throw usage(`cluster ${name} has no TalosControlPlane that could be scaled`);
    await client.for(TalosControlPlane).in(namespace).patch(reference.name, { spec: { replicas } });
  }
  print(`control plane of ${name}: ${replicas} wanted`);
}

async function scaleWorkers(
  { spec }: Cluster,
  name: ClusterName,
  replicas: number,
  deployment: string | undefined,
  { client, print }: Terminal,
): Promise<void> {
  if (spec?.topology !== undefined) return await scaleTopology(name, replicas, deployment, { client, print });
  const all = await listOf(client, MachineDeployment, name);
  const found = deployment === undefined ? all : all.filter(({ metadata }) => metadata.name === deployment);
  const [target, ...others] = found.map(({ metadata }) => metadata.name ?? "");
  if (target === undefined)
    throw usage(`cluster ${name.name} has no MachineDeployment${deployment === undefined ? "" : ` ${deployment}`}`);
  if (others.length > 0) throw usage(`which workers? --deployment: ${[target, ...others].sort().join(", ")}`);
  await client.for(MachineDeployment).in(name.namespace).patch(target, { spec: { replicas } });
  print(`${target}: ${replicas} wanted`);
}

/** Where a ClusterClass makes the MachineDeployments, its topology says how many machines each has. */
async function scaleTopology(
  { namespace, name }: ClusterName,
  replicas: number,
  deployment: string | undefined,
  { client, print }: Pick<Terminal, "client" | "print">,
): Promise<void> {
  const cluster = await client.for(Cluster).in(namespace).get(name);
  const list = cluster.spec?.topology?.workers?.machineDeployments ?? [];
  const targets = list.filter((each) => deployment === undefined || each.name === deployment);
  const [target] = targets;
  if (target === undefined) throw usage(`the topology of ${name} has no such workers`);
  if (targets.length > 1) throw usage(`which workers? --deployment: ${targets.map((each) => each.name).join(", ")}`);
  const machineDeployments = list.map((each) => (each === target ? { ...each, replicas } : each));
  const { resourceVersion = "" } = cluster.metadata;
  const patch = { metadata: { resourceVersion }, spec: { topology: { workers: { machineDeployments } } } };
  await client.for(Cluster).in(namespace).patch(name, patch);
  print(`${target.name}: ${replicas} wanted`);
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
