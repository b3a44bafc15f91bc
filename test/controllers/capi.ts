/** Cluster and Machine for tests of the Talos providers: their kinds, and makers of objects. */
import { Cluster, Machine } from "#controllers/talos-config/owners.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { TalosConfigSpec } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { families } from "#kinds/index.ts";
import { kind } from "#schema/kind.ts";
import { json } from "#schema/kit.ts";
import type { Family } from "#schema/family.ts";
import type { World } from "../kube/world.ts";

const packaging = { older: [], labels: {}, webhook: { namespace: "capi-system", service: "w", certificate: "c" } };
const core = {
  group: "cluster.x-k8s.io",
  version: "v1beta2",
  scope: "Namespaced",
  doc: "",
  spec: json(),
  status: json(),
} as const;
const standIns: Family[] = [
  { ...packaging, storage: kind({ ...core, kind: "Cluster", plural: "clusters" }) },
  { ...packaging, storage: kind({ ...core, kind: "Machine", plural: "machines" }) },
];

export const withCore: readonly Family[] = [
  ...families,
  ...standIns.filter(({ storage }) => !families.some((family) => family.storage.kind === storage.kind)),
];

export async function addCluster(world: World, name: string, spec: Cluster["spec"] = {}): Promise<Cluster> {
  const clusters = world.client.for(Cluster).in("default");
  const endpoint = { host: "10.5.0.10", port: 6443 };
  const made = await clusters.create({
    metadata: { name, namespace: "default" },
    spec: { controlPlaneEndpoint: endpoint, ...spec },
  });
  return clusters.update({ ...made, status: { initialization: { infrastructureProvisioned: true } } }, { subresource: "status" });
}

export interface MachineOptions {
  readonly isControlPlane?: boolean;
  readonly version?: string;
}

/** A Machine and its TalosConfig, each pointing to the other. */
export async function addMachine(
  world: World,
  cluster: string,
  name: string,
  config: TalosConfigSpec,
  { isControlPlane = config.generateType !== "worker", version = "v1.34.1" }: MachineOptions = {},
): Promise<Machine> {
  const labels = {
    "cluster.x-k8s.io/cluster-name": cluster,
    ...(isControlPlane ? { "cluster.x-k8s.io/control-plane": "" } : {}),
  };
  const machine = await world.client.for(Machine).create({
    metadata: { name, namespace: "default", labels },
    spec: {
      clusterName: cluster,
      version,
      bootstrap: { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name: `${name}-config` } },
      infrastructureRef: { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachine", name: `${name}-metal` },
    } as Machine["spec"] & {},
  });
  const owner = { apiVersion: machine.apiVersion, kind: "Machine", name, uid: machine.metadata.uid ?? "", controller: true };
  await world.client.for(TalosConfig).create({
    metadata: { name: `${name}-config`, namespace: "default", labels, ownerReferences: [owner] },
    spec: config,
  });
  return machine;
}
