/** Clusters and Machines for tests of the bootstrap provider, with what their own controllers would have written. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { TalosConfigSpec } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Client } from "#kube/client.ts";

export async function addCluster(world: { readonly client: Client }, name: string, spec: Cluster["spec"] = {}): Promise<Cluster> {
  const clusters = world.client.for(Cluster).in("default");
  const endpoint = { host: "10.5.0.10", port: 6443 };
  await clusters.create({
    metadata: { name, namespace: "default" },
    spec: { controlPlaneEndpoint: endpoint, ...spec },
  });
  // Where their own controllers run they write as well.
  return clusters.patch(name, { status: { initialization: { infrastructureProvisioned: true } } }, { subresource: "status" });
}

export interface MachineOptions {
  readonly isControlPlane?: boolean;
  readonly version?: string;
}

/** A Machine and its TalosConfig, each pointing to the other. */
export async function addMachine(
  world: { readonly client: Client },
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
    },
  });
  const owner = { apiVersion: machine.apiVersion, kind: "Machine", name, uid: machine.metadata.uid ?? "", controller: true };
  await world.client.for(TalosConfig).create({
    metadata: { name: `${name}-config`, namespace: "default", labels, ownerReferences: [owner] },
    spec: config,
  });
  return machine;
}
