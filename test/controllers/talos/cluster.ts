/** A cluster around a TalosControlPlane: what Cluster API's core, the infrastructure and the bootstrap provider would do, done by a stand-in of a few lines. */
import { createTalosControlPlaneController } from "#controllers/talos-control-plane/controller.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import type { Client } from "#kube/client.ts";
import { ContractKinds } from "#kube/contract.ts";
import type { Controller } from "#kube/controller.ts";
import { entries, Secret } from "#kube/secret.ts";
import type { ClusterName, WorkloadNode, Workloads } from "#kube/workload.ts";
import type { Condition } from "#schema/meta.ts";
import { printTalosconfig } from "#talos/talosconfig.ts";
import { startWorld } from "../../kube/world.ts";
import type { World } from "../../kube/world.ts";
import { TalosMachines } from "./machines.ts";

export type Spec = NonNullable<TalosControlPlane["spec"]>;
/** As it was served when the machine was installed. */
const CONFIG = `version: v1alpha1
machine:
    type: controlplane
    kubelet:
        image: ghcr.io/siderolabs/kubelet:v1.34.1
        extraArgs: {provider-id: "sidero://server"}
cluster:
    apiServer: {image: "registry.k8s.io/kube-apiserver:v1.34.1"}
`;
type MachineStatus = NonNullable<Machine["status"]>;

export const NAMESPACE = "default";
const FINALIZER = "machine.cluster.x-k8s.io";
const OLD = "v1.34.1";
const NOW = "2026-01-01T00:00:00Z";

export class TestCluster {
  readonly world: World;
  readonly talos = new TalosMachines();
  readonly pki = createMemoryPki();
  /** Servers that can be had; undefined: as many as are wanted. */
  servers: number | undefined;
  /** Nodes that do not become ready. */
  readonly unready = new Set<string>();
  /** Machines whose static pods do not become ready. */
  readonly slowPods = new Set<string>();
  #listener: ((cluster: ClusterName) => void) | undefined;
  #nodes: WorkloadNode[] | undefined;
  #lastAddress = 0;
  #told = "";

  static async start(spec: Partial<Spec> = {}, world?: World): Promise<TestCluster> {
    const cluster = new TestCluster(world ?? (await startWorld()));
    await cluster.#apply(spec);
    return cluster;
  }

  private constructor(world: World) {
    this.world = world;
  }

  controller(): Controller {
    const { world, talos, pki } = this;
    const workloads: Workloads = {
      sight: () => ({ nodes: this.#nodes, problem: undefined, since: undefined }),
      client: async () =>
        ({ for: () => ({ in: () => ({ list: async () => ({ items: await this.#pods() }) }) }) }) as unknown as Client,
      onChange: (listener) => {
        this.#listener = listener;
        return () => (this.#listener = undefined);
      },
    };
    const kinds = new ContractKinds(world.client);
    const ports = { dial: talos.dial, workloads, kinds, pki, clock: world.clock, entropy: new SeededEntropy(5) };
    return createTalosControlPlaneController(ports);
  }

  /** What the kubelets mirror of the static pods, of the version that the machine's configuration says. */
  async #pods(): Promise<object[]> {
    const machines = await this.machines();
    return machines.map((machine) => {
      const name = machine.metadata.name ?? "";
      const version = /kube-apiserver:(v[\d.]+)/.exec(this.talos.machines.get(this.addressOf(machine))?.config ?? "")?.[1] ?? OLD;
      const containers = [{ image: `registry.k8s.io/kube-apiserver:${version}` }];
      const conditions = [{ type: "Ready", status: this.slowPods.has(name) ? "False" : "True" }];
      return { metadata: { name: `kube-apiserver-${name}` }, spec: { nodeName: name, containers }, status: { conditions } };
    });
  }

  async plane(): Promise<TalosControlPlane> {
    return await this.world.client.for(TalosControlPlane).in(NAMESPACE).get("prod-cp");
  }

  async patch(spec: object): Promise<void> {
    await this.world.client
      .for(TalosControlPlane)
      .in(NAMESPACE)
      .patch("prod-cp", { spec: spec as {} });
  }

  /** By name. */
  async machines(): Promise<Machine[]> {
    const { items } = await this.world.client.for(Machine).in(NAMESPACE).list();
    return items.toSorted((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
  }

  addressOf(machine: Machine): string {
    return machine.status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "";
  }

  /** Lets time pass, `step` milliseconds at a time, and the rest of the world do its part, until `isDone`; throws when it never is. */
  async until(isDone: () => boolean | Promise<boolean>, { most = 200, step = 2000 } = {}): Promise<void> {
    for (let i = 0; i < most; i++) {
      if (await isDone()) return;
      await this.step(step);
    }
    throw new Error(`it never came to that: ${JSON.stringify((await this.plane()).status, undefined, 1)}`);
  }

  async step(milliseconds = 2000): Promise<void> {
    this.talos.tick();
    for (const machine of await this.machines()) await this.#tend(machine);
    await this.#seeNodes();
    await this.world.pass(milliseconds);
  }

  async #apply(spec: Partial<Spec>): Promise<void> {
    const { client } = this.world;
    const cluster = await client
      .for(Cluster)
      .in(NAMESPACE)
      .create({ metadata: { name: "prod" }, spec: { controlPlaneEndpoint: { host: "10.0.0.100", port: 6443 } } });
    const status = {
      initialization: { infrastructureProvisioned: true },
      failureDomains: ["a", "b", "c"].map((name) => ({ name, controlPlane: true })),
    };
    await client
      .for(Cluster)
      .in(NAMESPACE)
      .update({ ...cluster, status }, { subresource: "status" });
    for (const name of ["small", "large"]) {
      const template = { spec: { serverClassRef: { apiVersion: "metal.sidero.dev/v1alpha2", kind: "ServerClass", name } } };
      await client.for(MetalMachineTemplate).in(NAMESPACE).create({ metadata: { name }, spec: { template } });
    }
    const pair = await this.pki.issue({
      algorithm: "ed25519",
      subject: [],
      notBefore: 0,
      notAfter: 1e13,
      isAuthority: true,
      usages: [],
    });
    const talosconfig = printTalosconfig({ name: "prod", endpoints: [], ca: pair.certificate, client: pair });
    await client
      .for(Secret)
      .in(NAMESPACE)
      .create({ metadata: { name: "prod-talosconfig" }, data: entries({ talosconfig }) });
    const data = entries({ "tls.crt": pair.certificate, "tls.key": pair.key });
    await client
      .for(Secret)
      .in(NAMESPACE)
      .create({ metadata: { name: "prod-ca" }, data });
    const owner = { apiVersion: cluster.apiVersion, kind: "Cluster", name: "prod", uid: cluster.metadata.uid! };
    await client
      .for(TalosControlPlane)
      .in(NAMESPACE)
      .create({
        metadata: { name: "prod-cp", ownerReferences: [owner] },
        spec: {
          replicas: 3,
          version: "v1.34.1",
          infrastructureTemplate: {
            apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
            kind: "MetalMachineTemplate",
            name: "small",
          },
          controlPlaneConfig: { controlplane: { generateType: "controlplane", talosVersion: "v1.13" } },
          ...spec,
        },
      });
  }

  /** What core and infrastructure do about a Machine: a server for it, its addresses and Node; and when it goes, the wipe. */
  async #tend(machine: Machine): Promise<void> {
    const machines = this.world.client.for(Machine).in(NAMESPACE);
    const { name = "", finalizers = [], annotations = {}, deletionTimestamp } = machine.metadata;
    if (deletionTimestamp !== undefined) {
      const isHeld = Object.keys(annotations).some((key) => key.startsWith("pre-terminate.delete.hook."));
      if (isHeld)
        return await this.#say(machine, { type: "Deleting", status: "True", reason: "WaitingForPreTerminateHook", message: "" });
      if (machine.status?.addresses !== undefined && this.servers !== undefined) this.servers++;
      this.talos.wipe(this.addressOf(machine));
      await machines.patch(name, { metadata: { finalizers: null } });
      return;
    }
    if (!finalizers.includes(FINALIZER)) await machines.patch(name, { metadata: { finalizers: [FINALIZER] } });
    if (machine.status?.addresses === undefined) {
      if (this.servers === 0) return;
      if (this.servers !== undefined) this.servers--;
      const address = `10.0.0.${++this.#lastAddress}`;
      this.talos.add(name, address, 3).config = CONFIG;
      const addresses = [
        { type: "Hostname", address: name },
        { type: "InternalIP", address },
      ];
      const conditions = [{ type: "Ready", status: "False", reason: "NotReady", message: "", lastTransitionTime: NOW }];
      await machines.patch(name, { status: { addresses, conditions } as {} }, { subresource: "status" });
      return;
    }
    const talos = this.talos.machines.get(this.addressOf(machine));
    const member = this.talos.etcd.members.get(talos?.member ?? "");
    if (member !== undefined && !member.isLearner && machine.status.nodeRef === undefined) {
      await machines.patch(name, { status: { nodeRef: { name } } }, { subresource: "status" });
      await this.#say(machine, { type: "Ready", status: "True", reason: "Ready", message: "" });
    }
  }

  async #say({ metadata: { name = "" } }: Machine, said: Omit<Condition, "lastTransitionTime">): Promise<void> {
    const machines = this.world.client.for(Machine).in(NAMESPACE);
    const { status } = await machines.get(name);
    const present = (status?.conditions ?? []) as Condition[];
    if (present.some(({ type, status: was, reason }) => type === said.type && was === said.status && reason === said.reason))
      return;
    const conditions = [...present.filter(({ type }) => type !== said.type), { ...said, lastTransitionTime: NOW }];
    await machines.patch(name, { status: { conditions } as unknown as {} }, { subresource: "status" });
  }

  /** Says it as a MachineHealthCheck would. */
  async giveUp(machine: Machine): Promise<void> {
    await this.#say(machine, { type: "HealthCheckSucceeded", status: "False", reason: "UnhealthyNode", message: "" });
    await this.#say(machine, { type: "OwnerRemediated", status: "False", reason: "WaitingForRemediation", message: "" });
  }

  async #seeNodes(): Promise<void> {
    if (!this.talos.etcd.hasQuorum) return;
    const machines = await this.machines();
    const nodes = machines
      .filter(({ status }) => status?.nodeRef !== undefined)
      .map(({ metadata: { name = "" }, status }): WorkloadNode => {
        const talos = this.talos.machines.get(status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "");
        const isReady = talos?.isUp === true && !this.unready.has(name);
        return {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name, labels: { "node-role.kubernetes.io/control-plane": "" } },
          status: {
            conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
            nodeInfo: { kubeletVersion: /kubelet:(v[\d.]+)/.exec(talos?.config ?? "")?.[1] ?? OLD ?? "" },
          },
        };
      });
    const told = JSON.stringify(nodes);
    if (nodes.length === 0 || told === this.#told) return;
    this.#told = told;
    this.#nodes = nodes;
    this.#listener?.({ namespace: NAMESPACE, name: "prod" });
  }
}
export type { MachineStatus };
