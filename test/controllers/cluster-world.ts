/** The core of Cluster API on an API server in this process; providers are played by hand, the workload cluster is another API server. */
import type { Clock } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { createClusterController } from "#controllers/cluster/controller.ts";
import { createMachineController } from "#controllers/machine/controller.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Controller } from "#kube/controller.ts";
import { createExternals } from "#kube/externals.ts";
import type { KindRef } from "#kube/kind.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import type { Workloads } from "#kube/workload.ts";
import { createWorkloads } from "#kube/workloads.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isWrite, startWorld, type World, type WorldOptions } from "../kube/world.ts";
import { kubeconfigSecret, SecretKind, type WorkloadCluster, WorkloadNetwork } from "../kube/workload-cluster.ts";

export const NAMESPACE = "default";
export const SERVER = "https://10.0.0.1:6443";
export const INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io";
export const BOOTSTRAP = "bootstrap.cluster.x-k8s.io";
export const CONTROL_PLANE_GROUP = "controlplane.cluster.x-k8s.io";

export class ClusterWorld {
  readonly world: World;
  readonly network = new WorkloadNetwork();
  workload!: WorkloadCluster;
  readonly #stop = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(world: World) {
    this.world = world;
  }

  /** Runs the Cluster and Machine controllers, and those that `others` makes. */
  static async start(
    others: (ports: { clock: Clock; workloads: Workloads }) => Controller[] = () => [],
    options: WorldOptions = {},
  ): Promise<ClusterWorld> {
    const self = new ClusterWorld(await startWorld(options));
    const { world } = self;
    const ports = { client: world.access(), clock: world.clock, entropy: new SeededEntropy(9), log: silent };
    const { externals, run } = createExternals(ports);
    const { workloads, run: follow } = createWorkloads({ ...ports, open: self.network.open });
    const own = { externals, workloads, clock: world.clock, pki: createMemoryPki() };
    world.run(createClusterController(own), createMachineController(own), ...others(own));
    self.#ended = Promise.all([run(self.#stop.signal), follow(self.#stop.signal)]);
    return self;
  }

  of<T extends KubeObject>(kind: KindRef<T>) {
    return this.world.client.for(kind).in(NAMESPACE);
  }
  pass(milliseconds: number): Promise<void> {
    return this.world.pass(milliseconds);
  }
  writes(): number {
    return this.world.requests.filter(isWrite).length;
  }

  /** Cluster `c`, with its MetalCluster, and a TalosControlPlane unless it is to have none. */
  async cluster({ controlPlane = true }: { controlPlane?: boolean } = {}): Promise<void> {
    await this.of(MetalCluster).create({
      metadata: { name: "c" },
      spec: { controlPlaneEndpoint: { host: "10.0.0.1", port: 6443 } },
    });
    if (controlPlane) {
      const infrastructureTemplate = { apiVersion: `${INFRASTRUCTURE}/v1alpha3`, kind: "MetalMachineTemplate", name: "cp" };
      const spec = {
        version: "v1.34.1",
        replicas: 1,
        infrastructureTemplate,
        controlPlaneConfig: { controlplane: { generateType: "controlplane" } },
      };
      await this.of(TalosControlPlane).create({ metadata: { name: "c-cp" }, spec } as never);
    }
    await this.of(Cluster).create({
      metadata: { name: "c" },
      spec: {
        infrastructureRef: { apiGroup: INFRASTRUCTURE, kind: "MetalCluster", name: "c" },
        ...(controlPlane && { controlPlaneRef: { apiGroup: CONTROL_PLANE_GROUP, kind: "TalosControlPlane", name: "c-cp" } }),
      },
    });
  }

  /** What providers and the cluster's own API server do until the cluster is up. */
  async bringUp(): Promise<void> {
    await this.status(MetalCluster, "c", { ready: true });
    await this.status(TalosControlPlane, "c-cp", { initialized: true, initialization: { controlPlaneInitialized: true } });
    this.workload = await this.network.start(this.world.clock, SERVER);
    await this.of(SecretKind).create(kubeconfigSecret(NAMESPACE, "c", SERVER));
    await this.pass(1_000);
  }

  /** A Machine with a TalosConfig and a MetalMachine of its name. */
  async machine(name: string, { metadata = {}, spec = {} }: { metadata?: object; spec?: object } = {}): Promise<void> {
    await this.of(TalosConfig).create({ metadata: { name }, spec: { generateType: "worker" } });
    await this.of(MetalMachine).create({ metadata: { name }, spec: { serverClassRef: { name: "any" } } });
    await this.of(Machine).create({
      metadata: { name, ...metadata },
      spec: {
        clusterName: "c",
        version: "v1.34.1",
        bootstrap: { configRef: { apiGroup: BOOTSTRAP, kind: "TalosConfig", name } },
        infrastructureRef: { apiGroup: INFRASTRUCTURE, kind: "MetalMachine", name },
        ...spec,
      },
    });
  }

  /** What providers do until the Machine has a Node, which is what `more` says. */
  async provision(name: string, more: object = {}): Promise<void> {
    await this.status(TalosConfig, name, {
      initialization: { dataSecretCreated: true },
      dataSecretName: `${name}-bootstrap-data`,
    });
    await this.of(MetalMachine).patch(name, { spec: { providerID: `sidero://${name}` } });
    await this.status(MetalMachine, name, { ready: true, addresses: [{ type: "InternalIP", address: "10.0.0.7" }] });
    await this.workload.client.for(WorkloadNodes).create({
      metadata: { name },
      spec: { providerID: `sidero://${name}`, taints: [{ key: "node.cluster.x-k8s.io/uninitialized", effect: "NoSchedule" }] },
      ...more,
    });
    await this.nodeReady(name);
    await this.pass(1_000);
  }

  async nodeReady(name: string, status = "True"): Promise<void> {
    const condition = { type: "Ready", status, reason: "KubeletReady", message: "kubelet is posting", lastHeartbeatTime: null };
    await this.workload.client
      .for(WorkloadNodes)
      .patch(
        name,
        { status: { conditions: [{ ...condition, lastTransitionTime: "2024-01-01T00:00:00Z" }] } },
        { subresource: "status" },
      );
  }

  async status<T extends KubeObject>(kind: KindRef<T>, name: string, status: object): Promise<void> {
    await this.of(kind).patch(name, { status } as never, { subresource: "status" });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.world.stop();
    await this.workload?.fixture.stop();
  }
}

/** `Ready=True Available=False(NotReady)…` of some types. */
export function said(object: KubeObject, ...types: string[]): string {
  const { conditions = [] } = (object["status"] ?? {}) as { conditions?: { type: string; status: string; reason?: string }[] };
  const chosen = types.map((type) => conditions.find((condition) => condition.type === type));
  return chosen
    .map((found, i) => `${types[i]}=${found?.status}${found?.status === "True" ? "" : `(${found?.reason})`}`)
    .join(" ");
}
