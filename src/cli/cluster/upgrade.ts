/** `sidero cluster upgrade`: another version of Talos or Kubernetes, the control plane first, as kubelets must not be newer than API servers. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import type { TalosControlPlaneSpec } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { Fault } from "#std/fault.ts";
import type { JsonObject } from "#std/json.ts";
import { parseContract } from "#talos/contract.ts";
import { defaultInstaller } from "#talos/generate/options.ts";
import { kubernetesRange } from "#talos/validate/cluster.ts";
import type { Terminal } from "../terminal.ts";
import { follow } from "./follow.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { findCluster, listOf } from "./members.ts";
import type { ClusterName } from "./members.ts";
import { ifThere } from "#kube/status.ts";

export interface Upgrade {
  /** Of Kubernetes. */
  readonly version?: string;
  /** Of Talos: control plane machines are brought to it in place, as they run. */
  readonly talosVersion?: string;
  /** How control plane machines become what is wanted; undefined: as their TalosControlPlane has it. */
  readonly strategy?: "InPlace" | "RollingUpdate";
}

/** Begun again after an interruption, it goes on. Rejects as `findCluster`, with Fault `cli.usage`, and with those of the API. */
export async function upgrade(
  name: ClusterName,
  { version, talosVersion, strategy }: Upgrade,
  terminal: Terminal,
): Promise<void> {
  const wanted = version === undefined ? undefined : parseVersion(version);
  if (version !== undefined && wanted === undefined) throw usage("--kubernetes-version is like v1.34.1");
  if (wanted === undefined && talosVersion === undefined) throw usage("to what? --kubernetes-version or --talos-version");
  const cluster = await findCluster(terminal.client, name);
  if (talosVersion !== undefined) await upgradeTalos(cluster, talosVersion, terminal);
  if (wanted !== undefined) await upgradeKubernetes(cluster, wanted, strategy, terminal);
}

async function upgradeKubernetes(
  cluster: Cluster,
  wanted: Version,
  strategy: Upgrade["strategy"],
  terminal: Terminal,
): Promise<void> {
  const { client, print } = terminal;
  const { namespace = "", name = "" } = cluster.metadata;
  if (cluster.spec?.topology !== undefined) {
    refuseJump(cluster.spec.topology.version, wanted);
    await client
      .for(Cluster)
      .in(namespace)
      .patch(name, { spec: { topology: { version: wanted.text } } });
    return print(`${name}: Kubernetes ${wanted.text} wanted; its topology says what comes when`);
  }
  const before = await controlPlaneOf(cluster, terminal);
  refuseJump(before.spec.version, wanted);
  refuseForTalos(talosOf(before.spec), wanted);
  const rolloutStrategy = strategy === undefined ? {} : { rolloutStrategy: { type: strategy } };
  await change(before, { version: wanted.text, ...rolloutStrategy }, `Kubernetes ${wanted.text}`, terminal);
  for (const { metadata, spec } of await listOf(client, MachineDeployment, { namespace, name })) {
    if (spec?.template.spec.version === wanted.text) continue;
    const template = { spec: { version: wanted.text } };
    await client
      .for(MachineDeployment)
      .in(namespace)
      .patch(metadata.name ?? "", { spec: { template } });
    print(`MachineDeployment ${metadata.name}: Kubernetes ${wanted.text} wanted, its machines are replaced one after the other`);
  }
}

async function upgradeTalos(cluster: Cluster, talosVersion: string, terminal: Terminal): Promise<void> {
  const contract = parseContract(talosVersion);
  if (!/^v?\d+\.\d+\.\d/.test(talosVersion)) throw usage("--talos-version is like v1.13.4: all of it, as one installer is meant");
  const before = await controlPlaneOf(cluster, terminal);
  const kubernetes = parseVersion(before.spec.version);
  if (kubernetes !== undefined) refuseForTalos(contract.tag, kubernetes);
  const rolloutStrategy = { type: "InPlace", inPlace: { installer: defaultInstaller(contract) } };
  await change(before, { rolloutStrategy }, `Talos ${contract.tag}`, terminal);
  terminal.print("workers stay on the Talos they have; new ones boot what their Environment names");
}

type ControlPlane = TalosControlPlane & { readonly spec: TalosControlPlaneSpec };

async function controlPlaneOf({ metadata, spec }: Cluster, { client }: Terminal): Promise<ControlPlane> {
  const reference = spec?.controlPlaneRef;
  const controlPlanes = client.for(TalosControlPlane).in(metadata.namespace ?? "");
  const found = reference?.kind === "TalosControlPlane" ? await ifThere(controlPlanes.get(reference.name)) : undefined;
  if (found?.spec !== undefined) return { ...found, spec: found.spec };
  throw usage(`cluster ${metadata.name} has no TalosControlPlane that could be upgraded`);
}

/** What is known to run; the installer's tag where it has been upgraded in place. */
function talosOf({ controlPlaneConfig, rolloutStrategy }: TalosControlPlaneSpec): string {
  const tag = /:(v\d+\.\d+\.[^@/]*)(@|$)/.exec(rolloutStrategy?.inPlace?.installer ?? "")?.[1];
  return tag ?? controlPlaneConfig.controlplane.talosVersion ?? "";
}

/** Asks for it, and waits until all machines have it, telling how far they are. */
async function change(
  { metadata }: ControlPlane,
  spec: JsonObject,
  what: string,
  { client, print, signal }: Terminal,
): Promise<void> {
  const { namespace = "", name = "" } = metadata;
  const after = await client.for(TalosControlPlane).in(namespace).patch(name, { spec });
  print(`TalosControlPlane ${name}: ${what} wanted`);
  let said = "";
  const isOver = (object: TalosControlPlane | undefined): boolean => {
    if (object === undefined) throw usage(`TalosControlPlane ${name} is gone`);
    const { updatedReplicas = 0, readyReplicas = 0, waiting, observedGeneration = 0 } = object.status ?? {};
    const { replicas = 1 } = object.spec ?? {};
    if (observedGeneration < (after.metadata.generation ?? 0)) return false;
    const wait = waiting === undefined ? "" : `; waits for ${waiting.waitingFor}`;
    const line = `  ${updatedReplicas} of ${replicas} machines have it, ${readyReplicas} are ready${wait}`;
    if (line !== said) print((said = line));
    return updatedReplicas >= replicas && readyReplicas >= replicas;
  };
  await follow(client, TalosControlPlane, { namespace, name }, isOver, signal);
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
