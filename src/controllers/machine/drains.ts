/** Pods and volumes of Nodes that are emptied: read from the workload cluster, and evicted there. */
import type { DrainObserved, PodFacts, PodName } from "#decide/machine/drain.ts";
import type { Clock } from "#io/clock.ts";
import type { MachineDrainRule } from "#kinds/cluster/v1beta2/machine-drain-rule.ts";
import type { Client } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import { ifThere, isNotFound, statusOf } from "#kube/status.ts";
import type { ClusterName, Workloads } from "#kube/workload.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";

const Pod = kindRef<KubeObject & PodFacts>({ group: "", version: "v1", kind: "Pod", plural: "pods", scope: "Namespaced" });
const Namespace = kindRef<KubeObject>({ group: "", version: "v1", kind: "Namespace", plural: "namespaces", scope: "Cluster" });
interface VolumeAttachment extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly source?: { readonly persistentVolumeName?: string } };
}
const VolumeAttachment = kindRef<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  scope: "Cluster",
});
interface Claim extends KubeObject {
  readonly spec?: { readonly volumeName?: string };
}
const Claim = kindRef<Claim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  scope: "Namespaced",
});

/** Milliseconds that the evictions of one turn may take together. */
const BUDGET = 10_000;
const PAGE = 100;

export interface DrainPorts {
  readonly workloads: Workloads;
  readonly clock: Clock;
}

/** Remembers, for each Machine, what was refused last. */
export class Drains {
  readonly #ports: DrainPorts;
  readonly #refusals = new Map<string, ReadonlyMap<string, string>>();

  constructor(ports: DrainPorts) {
    this.#ports = ports;
  }

  /** Never rejects: what cannot be read is a problem that is waited out. */
  async observe(machine: string, cluster: ClusterName, node: string, rules: readonly MachineDrainRule[]): Promise<DrainObserved> {
    const refusals = this.#refusals.get(machine) ?? new Map<string, string>();
    try {
      const client = await this.#ports.workloads.client(cluster);
      const pods = await listed(client.for(Pod).listAll({ fieldSelector: `spec.nodeName=${node}`, limit: PAGE }));
      const asksNamespaces = rules.some(({ spec }) =>
        spec?.pods?.some(({ namespaceSelector }) => namespaceSelector !== undefined),
      );
      const spaces = asksNamespaces ? await listed(client.for(Namespace).listAll()) : [];
      const namespaces = Object.fromEntries(spaces.map(({ metadata }) => [metadata.name ?? "", metadata.labels ?? {}]));
      const volumes = await attached(client, node, pods);
      return { pods, problem: undefined, namespaces, refusals, rules, volumes };
    } catch (error) {
      return { pods: undefined, problem: Fault.from(error).message, namespaces: {}, refusals, rules, volumes: [] };
    }
  }

  forget(machine: string): void {
    this.#refusals.delete(machine);
  }

  /** Asks for each in turn; a refusal is kept for the next look, and is no failure. */
  async evict(machine: string, cluster: ClusterName, pods: readonly PodName[], graceSeconds?: number): Promise<void> {
    const { workloads, clock } = this.#ports;
    const client = await workloads.client(cluster);
    const refusals = new Map<string, string>();
    const end = clock.monotonic() + BUDGET;
    for (const { namespace, name } of pods) {
      if (clock.monotonic() >= end) break;
      const refusal = await evicted(client, namespace, name, graceSeconds);
      if (refusal !== undefined) refusals.set(`${namespace}/${name}`, refusal);
    }
    this.#refusals.set(machine, refusals);
  }
}

/** Why not; undefined: it goes. */
async function evicted(client: Client, namespace: string, name: string, graceSeconds?: number): Promise<string | undefined> {
  const target = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
  const body: Json = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace },
    ...(graceSeconds === undefined ? {} : { deleteOptions: { gracePeriodSeconds: graceSeconds } }),
  };
  try {
    await client.raw("POST", target, { body, patient: false });
    return undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    const { message = Fault.from(error).message, details } = statusOf(error);
    const causes = (details?.causes ?? []).map((cause) => cause.message).filter((text) => text !== undefined);
    return causes.length === 0 ? message : `${message} ${causes.join(" ")}`;
  }
}

/** A cluster that has no such kind (a control plane without workloads) has none of them. */
async function listed<T>(list: Promise<{ items: T[] }>): Promise<T[]> {
  try {
    return (await list).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Names of persistent volumes that are attached to the Node, but for those of Pods that are on it still: what stays keeps its volumes. */
async function attached(client: Client, node: string, pods: readonly PodFacts[]): Promise<string[]> {
  const attachments = (await listed(client.for(VolumeAttachment).listAll())).filter(({ spec }) => spec?.nodeName === node);
  const volumes = attachments.flatMap(({ spec }) => spec?.source?.persistentVolumeName ?? []);
  if (volumes.length === 0) return [];
  const used = new Set<string>();
  for (const { metadata, spec } of pods) {
    for (const { persistentVolumeClaim } of spec?.volumes ?? []) {
      if (persistentVolumeClaim === undefined) continue;
      const claims = client.for(Claim).in(metadata.namespace ?? "");
      const claim = await ifThere(claims.get(persistentVolumeClaim.claimName));
      if (claim?.spec?.volumeName !== undefined) used.add(claim.spec.volumeName);
    }
  }
  return volumes.filter((volume) => !used.has(volume));
}
