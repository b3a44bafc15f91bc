/** Somebody who has clusters: applies them, changes them and takes them away, by the API alone. */
import { clusterObjects } from "#cli/cluster/manifest.ts";
import type { ClusterOptions } from "#cli/cluster/manifest.ts";
import { Kinds } from "#cli/cluster/objects.ts";
import { REMEDIATE_MACHINE } from "#kinds/cluster/keys.ts";
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client, ResourceClient } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import type { KindRef } from "#kube/kind.ts";
import { ifThere } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Json } from "#std/json.ts";

const NAMESPACE = "default";
const namespaced = (group: string, version: string, kind: string, plural: string): KindRef =>
  kindRef({ group, version, kind, plural, scope: "Namespaced" });

export const KINDS = {
  cluster: namespaced("cluster.x-k8s.io", "v1beta2", "Cluster", "clusters"),
  machine: namespaced("cluster.x-k8s.io", "v1beta2", "Machine", "machines"),
  deployment: namespaced("cluster.x-k8s.io", "v1beta2", "MachineDeployment", "machinedeployments"),
  healthCheck: namespaced("cluster.x-k8s.io", "v1beta2", "MachineHealthCheck", "machinehealthchecks"),
  controlPlane: namespaced("controlplane.cluster.x-k8s.io", "v1alpha3", "TalosControlPlane", "taloscontrolplanes"),
  metalMachine: namespaced("infrastructure.cluster.x-k8s.io", "v1alpha3", "MetalMachine", "metalmachines"),
  secret: namespaced("", "v1", "Secret", "secrets"),
} as const;

/** As much of any object as is looked at here. */
export interface Loose extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, Json>>;
  readonly status?: Readonly<Record<string, Json>>;
}

export interface Wanted {
  readonly name: string;
  /** `10.77.0.100`: the address that its control plane machines hold among them. */
  readonly host: string;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly talosVersion?: string;
  readonly kubernetesVersion?: string;
}

export class Tenant {
  readonly #client: () => Client;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(client: () => Client, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  of(kind: keyof typeof KINDS): ResourceClient<Loose> {
    return this.#client().for<Loose>(KINDS[kind]).in(NAMESPACE);
  }

  /** Rejects when it is half way there; once more makes the rest of it. */
  async apply({ name, host, controlPlanes, workers, talosVersion = "v1.13", kubernetesVersion = "" }: Wanted): Promise<void> {
    const options: ClusterOptions = {
      name,
      namespace: NAMESPACE,
      endpoint: { host, port: 6443 },
      controlPlanes,
      workers,
      controlPlaneClass: "any",
      workerClass: "any",
      talosVersion,
      kubernetesVersion,
      installDisk: "",
      vipLink: "eth0",
    };
    const kinds = new Kinds(this.#client());
    for (const object of clusterObjects(options)) {
      const resource = await kinds.resource(object);
      const isThere = await ifThere(resource.get(object.metadata.name!));
      if (isThere === undefined) await resource.create(object);
    }
  }

  async scaleControlPlane(name: string, replicas: number): Promise<void> {
    // Of few none can go before the new one has come.
    const rolloutStrategy = { rollingUpdate: { maxSurge: replicas < 3 ? 1 : 0 } };
    await this.of("controlPlane").patch(`${name}-cp`, { spec: { replicas, rolloutStrategy } });
  }

  async scaleWorkers(name: string, replicas: number): Promise<void> {
    await this.of("deployment").patch(`${name}-workers`, { spec: { replicas } });
  }

  /** Another Talos for its control plane machines, as they are. */
  async upgradeTalos(name: string, version: string): Promise<void> {
    const inPlace = { installer: `ghcr.io/siderolabs/installer:${version}` };
    const rolloutStrategy = { type: "InPlace", rollingUpdate: null, inPlace };
    await this.of("controlPlane").patch(`${name}-cp`, { spec: { rolloutStrategy } });
  }

  /** Another Kubernetes, by new machines. */
  async upgrade(name: string, version: string): Promise<void> {
    const rolloutStrategy = { type: "RollingUpdate", inPlace: null };
    await this.of("controlPlane").patch(`${name}-cp`, { spec: { version, rolloutStrategy } });
    await this.of("deployment").patch(`${name}-workers`, { spec: { template: { spec: { version } } } });
  }

  /** The same as it is, by new control plane machines. */
  async roll(name: string): Promise<void> {
    const after = new Date(this.#now()).toISOString().replace(/\.\d+/, "");
    await this.of("controlPlane").patch(`${name}-cp`, { spec: { rollout: { after } } });
  }

  /** Some Machine of it; `at`, from 0 to 1, says which. */
  async deleteMachine(name: string, at: number, role: "control-plane" | "worker"): Promise<void> {
    const isOfRole = ({ metadata }: Loose): boolean =>
      (metadata.labels?.["cluster.x-k8s.io/control-plane"] !== undefined) === (role === "control-plane");
    const machine = one((await this.#machines(name)).filter(isOfRole), at);
    if (machine !== undefined) await ifThere(this.of("machine").delete(machine.metadata.name!));
  }

  /** As somebody does who does not like one of its Machines; needs a health check to have an effect. */
  async remediate(name: string, at: number): Promise<void> {
    const machine = one(await this.#machines(name), at);
    if (machine === undefined) return;
    const annotations = { [REMEDIATE_MACHINE]: "" };
    await ifThere(this.of("machine").patch(machine.metadata.name!, { metadata: { annotations } }));
  }

  /** Machines whose Node says nothing for some minutes are replaced, from now on. */
  async checkHealth(name: string): Promise<void> {
    if ((await ifThere(this.of("healthCheck").get(`${name}-health`))) !== undefined) return;
    await this.of("healthCheck").create({
      metadata: { name: `${name}-health` },
      spec: {
        clusterName: name,
        selector: { matchLabels: { "cluster.x-k8s.io/cluster-name": name } },
        checks: {
          nodeStartupTimeoutSeconds: 1800,
          unhealthyNodeConditions: [{ type: "Ready", status: "Unknown", timeoutSeconds: 300 }],
        },
      },
    });
  }

  /** One line for each object, for who wants to know why it is not as it should be. */
  async describe(): Promise<string[]> {
    const kinds = ["cluster", "controlPlane", "deployment", "machine", "metalMachine", "healthCheck"] as const;
    const lists = await Promise.all(kinds.map(async (kind) => ({ kind, items: (await this.of(kind).list()).items })));
    return lists.flatMap(({ kind, items }) =>
      items.map(({ metadata, spec, status }) => {
        const { name, annotations, deletionTimestamp } = metadata;
        return `${kind} ${name}: ${JSON.stringify({ deletionTimestamp, annotations, spec, status })}`;
      }),
    );
  }

  async #machines(name: string): Promise<Loose[]> {
    const { items } = await this.of("machine").list({ labelSelector: `cluster.x-k8s.io/cluster-name=${name}` });
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Does what machines that failed, and installations that are overdue, ask of a person; thinks again about what was refused for good. */
  async heal(number: number): Promise<void> {
    for (const { metadata, status } of (await this.#client().for(Server).listAll()).items) {
      if (status?.phase !== "Failed") continue;
      const annotations = { [REQUEST_ANNOTATION]: `retry ${number}` };
      await this.#client().for(Server).patch(metadata.name!, { metadata: { annotations } });
    }
    for (const { spec, status } of (await this.of("metalMachine").list()).items) {
      const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; reason?: string }[] };
      const server = (spec?.["serverRef"] as { name: string } | undefined)?.name;
      if (server === undefined || !conditions.some(({ reason }) => reason === "TalosInstallationOverdue")) continue;
      const annotations = { [REQUEST_ANNOTATION]: `power-cycle ${number}` };
      await this.#client().for(Server).patch(server, { metadata: { annotations } });
    }
    for (const { metadata, status } of (await this.of("machine").list()).items) {
      const { conditions = [] } = (status ?? {}) as { conditions?: { reason?: string; message?: string }[] };
      const isOnly = conditions.some((each) => each.reason === "CannotBeRemediated" && each.message?.includes("the only member"));
      if (metadata.annotations?.[REMEDIATE_MACHINE] === undefined || !isOnly) continue;
      await this.of("machine").patch(metadata.name!, { metadata: { annotations: { [REMEDIATE_MACHINE]: null } } });
    }
  }

  async delete(name: string): Promise<void> {
    await ifThere(this.of("cluster").delete(name));
  }

  /** PEM and all. Undefined while there is none. */
  async kubeconfig(name: string): Promise<string | undefined> {
    const secret = await ifThere(this.of("secret").get(`${name}-kubeconfig`));
    const value = secret?.data?.["value"];
    return value === undefined ? undefined : atob(value);
  }
}

function one<T>(all: readonly T[], at: number): T | undefined {
  return all[Math.floor(at * all.length)];
}
