import type {
  ControlPlaneMachine,
  ObservedCluster,
  ObservedControlPlane,
  ObservedNode,
  Part,
  TemplateRef,
} from "#decide/talos-control-plane/machine.ts";
import { BOOTSTRAP_MARK, seatOf } from "#decide/talos-control-plane/machine.ts";
import { leavesDependents } from "#decide/machines/orphan.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Pki } from "#io/pki.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { CLONED_FROM_GROUP_KIND, CLONED_FROM_NAME, PAUSED } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { ContractKinds, ContractReference } from "#kube/contract.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { Secret } from "#kube/secret.ts";
import type { Workloads } from "#kube/workload.ts";
import { findCondition } from "#schema/condition.ts";
import { parseApiVersion } from "#schema/meta.ts";
import type { Condition, KubeObject } from "#schema/meta.ts";
import type { JsonObject } from "#std/json.ts";
import type { Members } from "./members.ts";
import { clusterKeyOf } from "./members.ts";
import type { Talos } from "./ports.ts";
import { authorityOf, credentialsOf, kubeconfigOf } from "./secrets.ts";

export interface ObservePorts {
  readonly talos: Talos;
  readonly workloads: Workloads;
  readonly kinds: ContractKinds;
  readonly pki: Pki;
  readonly entropy: Entropy;
}

/** The control plane, its Cluster and Machines from the caches; what the machines themselves say from whoever asks them. */
export async function observeControlPlane(
  reader: Reader,
  controlPlane: TalosControlPlane | undefined,
  members: Members,
  ports: ObservePorts,
): Promise<ObservedControlPlane | undefined> {
  if (controlPlane?.spec === undefined) return undefined;
  const { metadata, spec, status = {} } = controlPlane;
  const { name = "", namespace = "", uid = "", generation = 0 } = metadata;
  const clusterKey = clusterKeyOf(controlPlane);
  const cluster = clusterKey === undefined ? undefined : reader.of(Cluster).get(clusterKey);
  const clusterName = cluster?.metadata.name ?? "";
  const own = clusterKey === undefined ? [] : members.machinesOf(clusterKey, uid, reader);
  const machines = await Promise.all(own.map((machine) => machineOf(machine, reader, ports)));
  const secrets = reader.of(Secret);
  const authority = authorityOf(secrets.get(`${namespace}/${clusterName}-ca`));
  const credentials = credentialsOf(secrets.get(`${namespace}/${clusterName}-talosconfig`));
  ports.talos.follow(keyOf(controlPlane), machines.map(seatOf), credentials);
  const template = templateOf(spec);
  const kubeconfig = secrets.get(`${namespace}/${clusterName}-kubeconfig`);
  return {
    name,
    namespace,
    uid,
    generation,
    isDeleting: metadata.deletionTimestamp !== undefined,
    leavesDependents: leavesDependents(controlPlane),
    isPaused: metadata.annotations?.[PAUSED] !== undefined,
    mark: metadata.annotations?.[BOOTSTRAP_MARK],
    spec,
    status,
    cluster: cluster && clusterOf(cluster),
    template,
    isTemplateOwned: cluster && (await isOwned(template, namespace, cluster, reader, ports.kinds)),
    machines: machines.map((machine) => ({ ...machine, facts: ports.talos.facts(machine.uid) })),
    nodes: kubeconfig === undefined ? undefined : nodesOf(ports.workloads, namespace, clusterName),
    kubeconfig: kubeconfigOf(kubeconfig, name, authority, ports.pki),
    hasAuthority: authority !== undefined,
    suffix: suffixOf(ports.entropy),
  };
}

function clusterOf({ metadata, spec, status }: Cluster): ObservedCluster {
  const { host = "", port = 0 } = spec?.controlPlaneEndpoint ?? {};
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    isPaused: spec?.paused === true,
    isDeleting: metadata.deletionTimestamp !== undefined,
    isInfrastructureReady: status?.initialization?.infrastructureProvisioned === true,
    endpoint: host === "" || port === 0 ? undefined : { host, port },
    failureDomains: (status?.failureDomains ?? [])
      .filter(({ controlPlane }) => controlPlane === true)
      .map((domain) => domain.name),
  };
}

/** Upstream's field, or those of either contract. */
function templateOf({ infrastructureTemplate, machineTemplate }: NonNullable<TalosControlPlane["spec"]>): TemplateRef {
  const newer = machineTemplate?.spec?.infrastructureRef;
  const older = infrastructureTemplate ?? machineTemplate?.infrastructureRef;
  if (older === undefined && newer !== undefined) return { group: newer.apiGroup, kind: newer.kind, name: newer.name };
  return { group: parseApiVersion(older?.apiVersion ?? "")?.group ?? "", kind: older?.kind ?? "", name: older?.name ?? "" };
}

async function isOwned(
  { group, kind, name }: TemplateRef,
  namespace: string,
  cluster: Cluster,
  reader: Reader,
  kinds: ContractKinds,
): Promise<boolean | undefined> {
  const template = await referenced({ apiGroup: group, kind, name }, namespace, reader, kinds);
  return template && (template.metadata.ownerReferences ?? []).some(({ uid }) => uid === cluster.metadata.uid);
}

/** Our own kinds from their caches; those of other providers are read. */
function referenced(
  reference: ContractReference,
  namespace: string,
  reader: Reader,
  kinds: ContractKinds,
): KubeObject | undefined | Promise<KubeObject | undefined> {
  const own = [MetalMachine, MetalMachineTemplate].find(
    ({ group, kind }) => group === reference.apiGroup && kind === reference.kind,
  );
  return own === undefined ? kinds.get(reference, namespace) : reader.of<KubeObject>(own).get(`${namespace}/${reference.name}`);
}

async function machineOf(machine: Machine, reader: Reader, ports: ObservePorts): Promise<ControlPlaneMachine> {
  const { metadata, spec, status } = machine;
  const { name = "", namespace = "", uid = "", resourceVersion = "", labels = {}, annotations = {} } = metadata;
  const infrastructure = spec && (await referenced(spec.infrastructureRef, namespace, reader, ports.kinds));
  const { configRef } = spec?.bootstrap ?? {};
  const config = configRef?.kind === TalosConfig.kind ? reader.of(TalosConfig).get(`${namespace}/${configRef.name}`) : undefined;
  const cloned = infrastructure?.metadata.annotations ?? {};
  const [from, groupKind] = [cloned[CLONED_FROM_NAME], cloned[CLONED_FROM_GROUP_KIND]];
  const addresses = status?.addresses ?? [];
  const ofTypes = (...types: string[]): string[] =>
    addresses.filter(({ type }) => types.includes(type)).map(({ address }) => address);
  return {
    name,
    uid,
    resourceVersion,
    createdAt: Date.parse(metadata.creationTimestamp ?? ""),
    isDeleting: metadata.deletionTimestamp !== undefined,
    version: spec?.version,
    failureDomain: status?.failureDomain ?? spec?.failureDomain,
    labels,
    annotations,
    spec: (spec ?? {}) as unknown as JsonObject,
    conditions: (status?.conditions ?? []) as unknown as JsonObject[],
    nodeName: status?.nodeRef?.name,
    addresses: [...new Set(ofTypes("ExternalIP", "InternalIP"))].sort(),
    hostnames: ofTypes("Hostname", "InternalDNS", "ExternalDNS"),
    isConfigured: isConfigured(infrastructure),
    clonedFrom: from === undefined || groupKind === undefined ? undefined : { name: from, groupKind },
    config: config?.spec,
    parts: [...partOf("infrastructure", infrastructure), ...partOf("bootstrap", config)],
    facts: {},
    isOrphan: (metadata.ownerReferences ?? []).every(({ controller }) => controller !== true),
  };
}

/** Our own infrastructure says so; that of others is believed to say all that there is to know by its addresses. */
export function isConfigured(infrastructure: KubeObject | undefined): boolean {
  const { conditions = [] } = ((infrastructure as { status?: unknown } | undefined)?.status ?? {}) as {
    conditions?: Condition[];
  };
  const installed = findCondition(conditions, "TalosInstalled");
  return installed?.status === "True" || installed?.reason === "TalosInstallationInProgress";
}

function partOf(kind: Part["kind"], object: KubeObject | undefined): Part[] {
  if (object === undefined) return [];
  const { name = "", labels = {}, annotations = {} } = object.metadata;
  return [{ kind, name, labels, annotations, apiVersion: object.apiVersion, objectKind: object.kind }];
}

const CONTROL_PLANE_NODE = "node-role.kubernetes.io/control-plane";

function nodesOf(workloads: Workloads, namespace: string, name: string): ObservedNode[] | undefined {
  return workloads
    .sight({ namespace, name })
    .nodes?.filter(({ metadata }) => metadata.labels?.[CONTROL_PLANE_NODE] !== undefined)
    .map(({ metadata, status }) => ({
      name: metadata.name ?? "",
      isReady: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
      version: status?.nodeInfo?.["kubeletVersion"],
    }));
}

/** Five letters and digits as Kubernetes makes them up: none that could form a word. */
function suffixOf(entropy: Entropy): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return [...entropy.bytes(5)].map((byte) => letters[byte % letters.length]).join("");
}
