/** Clusters, Machines and Servers for tests of the infrastructure provider; whatever others would write is written here. */
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerStatus } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Client } from "#kube/client.ts";
import { findCondition } from "#schema/condition.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";

const NAMESPACE = "default";
const CLEAN: ServerStatus = { isClean: true, ready: true, inUse: false, phase: "Available", power: "off" };

export interface MachineOptions {
  readonly cluster?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: MetalMachine["spec"];
  readonly failureDomain?: string;
  /** Without: its configuration is not there yet. */
  readonly data?: string | null;
}

export class Site {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  async addServer(
    name: string,
    { labels = {}, spec = {}, status = {} }: { labels?: Record<string, string>; spec?: object; status?: ServerStatus } = {},
  ): Promise<Server> {
    const servers = this.client.for(Server);
    const made = await servers.create({ metadata: { name, labels }, spec: { accepted: true, ...spec } });
    return servers.update({ ...made, status: { ...CLEAN, ...status } }, { subresource: "status" });
  }

  async setServer(name: string, status: ServerStatus): Promise<void> {
    const servers = this.client.for(Server);
    const server = await servers.get(name);
    await servers.update({ ...server, status: { ...server.status, ...status } }, { subresource: "status" });
  }

  async addClass(name: string, spec: ServerClass["spec"] = {}): Promise<void> {
    await this.client.for(ServerClass).create({ metadata: { name }, spec });
  }

  async addCluster(
    name: string,
    { isProvisioned = true, ...spec }: { isProvisioned?: boolean } & Cluster["spec"] = {},
  ): Promise<Cluster> {
    const clusters = this.client.for(Cluster).in(NAMESPACE);
    const made = await clusters.create({ metadata: { name, namespace: NAMESPACE }, spec });
    if (!isProvisioned) return made;
    return clusters.update(
      { ...made, status: { initialization: { infrastructureProvisioned: true } } },
      { subresource: "status" },
    );
  }

  /** A Machine and its MetalMachine, which it has taken already. */
  async addMachine(name: string, options: MachineOptions = {}): Promise<MetalMachine> {
    const { cluster = "c", labels = {}, spec = {}, failureDomain, data = `${name}-bootstrap-data` } = options;
    const all = { [CLUSTER_NAME]: cluster, ...labels };
    const machine = await this.client.for(Machine).create({
      metadata: { name, namespace: NAMESPACE, labels: all },
      spec: {
        clusterName: cluster,
        bootstrap: {
          configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name },
          ...(data !== null && { dataSecretName: data }),
        },
        infrastructureRef: { apiGroup: MetalMachine.group, kind: MetalMachine.kind, name },
        ...(failureDomain !== undefined && { failureDomain }),
      },
    });
    return await this.client.for(MetalMachine).create({
      metadata: { name, namespace: NAMESPACE, labels: all, ownerReferences: [ownerReference(machine)] },
      spec,
    });
  }

  machine(name: string): Promise<MetalMachine> {
    return this.client.for(MetalMachine).in(NAMESPACE).get(name);
  }

  async condition(name: string, type: string) {
    return findCondition((await this.machine(name)).status?.conditions ?? [], type);
  }

  async bindings(): Promise<ServerBinding[]> {
    return (await this.client.for(ServerBinding).listAll()).items;
  }

  /** As whoever installs Talos would: `said` are conditions that are True. */
  async install(server: string, addresses: string[] = ["10.5.0.7"], hostname = "node"): Promise<void> {
    const bindings = this.client.for(ServerBinding);
    const binding = await bindings.patch(server, { spec: { addresses, hostname } });
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = ["TalosConfigLoaded", "TalosConfigValidated", "TalosInstalled"].map((type) => ({
      type,
      status: "True" as const,
      lastTransitionTime,
    }));
    await bindings.update({ ...binding, status: { ...binding.status, conditions } }, { subresource: "status" });
  }
}

export function ownerReference({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "", controller: true };
}
