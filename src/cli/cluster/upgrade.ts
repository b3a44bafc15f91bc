/** `sidero cluster upgrade`: another version of Kubernetes, the control plane first, as kubelets must not be newer than API servers. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { Fault } from "#std/fault.ts";
import { parseContract } from "#talos/contract.ts";
import { kubernetesRange } from "#talos/validate/cluster.ts";
import type { Terminal } from "../terminal.ts";
import { follow } from "./follow.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { findCluster, listOf, optional } from "./members.ts";
import type { ClusterName } from "./members.ts";

export interface Upgrade {
  readonly version: string;
  /** How control plane machines become what is wanted; undefined: as their TalosControlPlane has it. */
  readonly strategy?: "InPlace" | "RollingUpdate";
}

/** Begun again after an interruption, it goes on. Rejects as `findCluster`, with Fault `cli.usage`, and with those of the API. */
export async function upgrade(name: ClusterName, { version, strategy }: Upgrade, terminal: Terminal): Promise<void> {
  const wanted = parseVersion(version);
  if (wanted === undefined) throw usage("--kubernetes-version is like v1.34.1");
  const { client, print } = terminal;
  const cluster = await findCluster(client, name);
  if (cluster.spec?.topology !== undefined) {
    refuseJump(cluster.spec.topology.version, wanted);
    await client
      .for(Cluster)
      .in(name.namespace)
      .patch(name.name, { spec: { topology: { version: wanted.text } } });
    return print(`${name.name}: Kubernetes ${wanted.text} wanted; its topology says what comes when`);
  }
  await upgradeControlPlane(cluster, wanted, strategy, terminal);
  for (const { metadata, spec } of await listOf(client, MachineDeployment, name)) {
    if (spec?.template?.spec?.version === wanted.text) continue;
    const template = { spec: { version: wanted.text } };
    await client
      .for(MachineDeployment)
      .in(name.namespace)
      .patch(metadata.name ?? "", { spec: { template } });
    print(`MachineDeployment ${metadata.name}: Kubernetes ${wanted.text} wanted, its machines are replaced one after the other`);
  }
}

async function upgradeControlPlane(
  { metadata, spec }: Cluster,
  wanted: Version,
  strategy: Upgrade["strategy"],
  { client, print, signal }: Terminal,
): Promise<void> {
  const { namespace = "", name = "" } = metadata;
  const reference = spec?.controlPlaneRef;
  const controlPlanes = client.for(TalosControlPlane).in(namespace);
  const before = reference?.kind === "TalosControlPlane" ? await optional(controlPlanes.get(reference.name)) : undefined;
  if (reference === undefined || before?.spec === undefined)
    throw usage(`cluster ${name} has no TalosControlPlane that could be upgraded`);
  refuseJump(before.spec.version, wanted);
  refuseForTalos(before.spec.controlPlaneConfig.controlplane.talosVersion ?? "", wanted);
  const rolloutStrategy = strategy === undefined ? {} : { rolloutStrategy: { type: strategy } };
  const after = await controlPlanes.patch(reference.name, { spec: { version: wanted.text, ...rolloutStrategy } });
  print(`TalosControlPlane ${reference.name}: Kubernetes ${wanted.text} wanted`);
  let said = "";
  const isOver = (object: TalosControlPlane | undefined): boolean => {
    if (object === undefined) throw usage(`TalosControlPlane ${reference.name} is gone`);
    const { updatedReplicas = 0, readyReplicas = 0, waiting, observedGeneration = 0 } = object.status ?? {};
    const { replicas = 1 } = object.spec ?? {};
    if (observedGeneration < (after.metadata.generation ?? 0)) return false;
    const wait = waiting === undefined ? "" : `; waits for ${waiting.waitingFor}`;
    const line = `  ${updatedReplicas} of ${replicas} machines have it, ${readyReplicas} are ready${wait}`;
    if (line !== said) print((said = line));
    return updatedReplicas >= replicas && readyReplicas >= replicas;
  };
  await follow(client, TalosControlPlane, { namespace, name: reference.name }, isOver, signal);
}

interface Version {
  readonly text: string;
  readonly minor: number;
  readonly patch: number;
}

function parseVersion(text: string): Version | undefined {
  const [, minor, patch] = /^v?1\.(\d{1,3})\.(\d{1,4})([-+].*)?$/.exec(text) ?? [];
  if (minor === undefined) return undefined;
  return { text: `v${text.replace(/^v/, "")}`, minor: Number(minor), patch: Number(patch) };
}

/** Kubernetes' version skew policy: control planes go forward, one minor version at a time. */
function refuseJump(from: string | undefined, to: Version): void {
  const now = parseVersion(from ?? "");
  if (now === undefined) return;
  if (to.minor < now.minor || (to.minor === now.minor && to.patch < now.patch))
    throw usage(`${to.text} is older than ${now.text}: a control plane only goes forward`);
  if (to.minor > now.minor + 1)
    throw usage(`from ${now.text} to ${to.text} leads through v1.${now.minor + 1}: one minor version at a time`);
}

function refuseForTalos(talosVersion: string, { text, minor }: Version): void {
  if (talosVersion === "") return;
  const { oldest, newest } = kubernetesRange(parseContract(talosVersion));
  if (minor < oldest || minor > newest)
    throw usage(`Talos ${talosVersion} runs Kubernetes 1.${oldest} to 1.${newest}, not ${text}`);
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
