/** A kubelet's outside: it registers its node, says that it is ready, and what it runs. Between two changes it writes nothing. */
import { isNotFound } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import type { BodyLife } from "./body.ts";
import type { SimCluster } from "./cluster.ts";
import type { MachineFacts } from "./facts.ts";
import { versionOf } from "./check.ts";
import { Nodes } from "./kubernetes.ts";

export interface KubeletOptions {
  readonly name: string;
  readonly address: string;
  readonly uuid: string;
  readonly life: BodyLife;
  readonly cluster: SimCluster;
  /** `Talos (v1.13.0)` */
  readonly osImage: string;
  readonly facts: () => MachineFacts;
  readonly tell: (state: "Waiting" | "Running", message: string) => void;
}

/** Milliseconds until the network of a node works, and between two attempts of anything. */
const NETWORK = 10_000;
const AGAIN = 3_000;

export class Kubelet {
  readonly #options: KubeletOptions;
  #wake: () => void = () => {};

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** Its configuration has changed. */
  restart(): void {
    this.#wake();
  }

  /** Does not come back. */
  async run(): Promise<void> {
    const { life, tell, cluster, name } = this.#options;
    tell("Waiting", "the cluster cannot be reached yet");
    for (let isFirst = true; ; isFirst = false) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      await this.#until(() => this.#register());
      if (isFirst) {
        life.onEnd(cluster.hold(name));
        await life.sleep(NETWORK);
      }
      await this.#until(() => this.#report());
      tell("Running", "the node is registered");
      await life.live(changed);
      await life.sleep(AGAIN);
    }
  }

  async #until(act: () => Promise<void>): Promise<void> {
    const { life, cluster, tell } = this.#options;
    for (;;) {
      if (cluster.isServing) {
        const problem = await life.live(
          act().then(
            () => undefined,
            (error: unknown) => Fault.from(error).message,
          ),
        );
        if (problem === undefined) return;
        tell("Waiting", problem);
      }
      await life.sleep(AGAIN);
    }
  }

  async #register(): Promise<void> {
    const { cluster, name, facts } = this.#options;
    const nodes = cluster.client!.for(Nodes);
    const { extraArgs, labels, taints } = facts().kubelet;
    const providerID = extraArgs["provider-id"];
    const given = (extraArgs["node-labels"] ?? "").split(",").filter((each) => each.includes("="));
    const all = {
      "kubernetes.io/hostname": name,
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      ...Object.fromEntries(given.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)])),
      ...labels,
    };
    const node = await this.#get();
    if (node === undefined) {
      const spec = { ...(providerID === undefined ? {} : { providerID }), taints: taintsOf(taints) };
      await nodes.create({ metadata: { name, labels: all }, spec });
      return;
    }
    const isLabelled = Object.entries(all).every(([key, value]) => node.metadata.labels?.[key] === value);
    // A provider is said once: what stands there stays.
    const isNamed = node.spec?.providerID !== undefined || providerID === undefined;
    if (isLabelled && isNamed) return;
    await nodes.patch(name, { metadata: { labels: all }, ...(isNamed ? {} : { spec: { providerID } }) });
  }

  async #report(): Promise<void> {
    const { cluster, name, address, uuid, osImage, facts, life } = this.#options;
    const node = await this.#get();
    if (node === undefined) return;
    const was = node.status?.conditions?.find(({ type }) => type === "Ready");
    const now = new Date(life.now()).toISOString().replace(/\.\d+/, "");
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" };
    const lastTransitionTime = was?.status === "True" ? (was.lastTransitionTime ?? now) : now;
    const nodeInfo = {
      machineID: uuid.replaceAll("-", ""),
      systemUUID: uuid,
      bootID: uuid,
      kernelVersion: "6.18.0-talos",
      osImage,
      containerRuntimeVersion: "containerd://2.2.0",
      kubeletVersion: versionOf(facts().kubelet.image) ?? "v0.0.0",
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    };
    const addresses = [
      { type: "InternalIP", address },
      { type: "Hostname", address: name },
    ];
    const status = { conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime }], addresses, nodeInfo };
    await cluster.client!.for(Nodes).patch(name, { status }, { subresource: "status" });
  }

  async #get(): Promise<WorkloadNode | undefined> {
    try {
      return await this.#options.cluster.client!.for(Nodes).get(this.#options.name);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

function taintsOf(taints: Readonly<Record<string, string>>): { key: string; value?: string; effect: string }[] {
  return Object.entries(taints).map(([key, text]) => {
    const [value, effect] = text.includes(":") ? (text.split(":", 2) as [string, string]) : ["", text];
    return { key, ...(value === "" ? {} : { value }), effect };
  });
}
