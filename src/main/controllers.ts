/** Every controller there is. */
import { createClusterController } from "#controllers/cluster/controller.ts";
import { createClusterClassController } from "#controllers/cluster-class/controller.ts";
import { createTopologyController } from "#controllers/cluster-topology/controller.ts";
import { createEnvironmentController } from "#controllers/environment/controller.ts";
import type { Downloads } from "#controllers/environment/downloads.ts";
import { createAssetStoreController } from "#controllers/environment/store.ts";
import { createInstallController } from "#controllers/install/controller.ts";
import { createMachineDeploymentController } from "#controllers/machine-deployment/controller.ts";
import { createHealthCheckController } from "#controllers/machine-health-check/controller.ts";
import type { HealthPorts } from "#controllers/machine-health-check/observe.ts";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import type { MachineSetPorts } from "#controllers/machine-set/ports.ts";
import { createMachineController } from "#controllers/machine/controller.ts";
import { inlineController } from "#controllers/machine/inline.ts";
import { createMetalClusterController } from "#controllers/metal-cluster/controller.ts";
import { createMetalClusterNodesController } from "#controllers/metal-cluster/nodes.ts";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { createMetalMachineTemplateController } from "#controllers/metal-machine-template/controller.ts";
import { createServerBindingController } from "#controllers/server-binding/controller.ts";
import { createResourceSetController } from "#controllers/resource-set/controller.ts";
import { createServerController } from "#controllers/server/controller.ts";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import { createTalosConfigControllers } from "#controllers/talos-config/controller.ts";
import { createTalosControlPlaneController } from "#controllers/talos-control-plane/controller.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { OpenHttp } from "#io/http.ts";
import type { Pki } from "#io/pki.ts";
import type { Provider } from "#kinds/index.ts";
import type { Client } from "#kube/client.ts";
import { ContractKinds } from "#kube/contract.ts";
import type { Controller } from "#kube/controller.ts";
import type { Metrics } from "#kube/metrics.ts";
import type { Externals } from "#kube/externals.ts";
import type { Workloads } from "#kube/workload.ts";
import type { TalosDial } from "#talos/api.ts";
import type { MachinePorts } from "./machines.ts";

/** Where the files of Environments are. They outlive the controllers, which are made anew whenever this process leads again. */
export interface AssetPorts {
  readonly blobs: Blobs;
  readonly downloads: Downloads;
}

/** What clusters are made with. */
export interface ClusterPorts {
  readonly providers: ReadonlySet<Provider>;
  readonly dial: TalosDial;
  readonly pki: Pki;
  /** The door to the API servers of the clusters. */
  readonly open: OpenHttp;
}

export interface ControllerPorts {
  /** For what is read at the moment it is needed; writes go through the client that acting is handed. */
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly metrics: Metrics;
  /** Absent without network boot: nothing is downloaded. */
  readonly assets?: AssetPorts;
  /** Absent without network boot: machines are left alone. */
  readonly machines?: MachinePorts;
  readonly clusters: ClusterPorts;
  readonly workloads: Workloads;
  readonly externals: Externals;
  readonly digest: Digest;
}

/** Fresh ones: some keep an index of what they have seen. */
export function controllers(ports: ControllerPorts): Controller[] {
  const { clock, entropy, metrics, assets, machines, clusters, client, workloads } = ports;
  const kinds = new ContractKinds(client);
  const list = [createServerClassController(), createServerBindingController(machines?.clusters)] as Controller[];
  if (clusters.providers.has("core"))
    list.push(
      createClusterController({ ...ports, pki: clusters.pki }),
      createMachineController(ports),
      inlineController,
      createResourceSetController(ports),
      ...sets({ ...ports, kinds }),
    );
  if (clusters.providers.has("bootstrap-talos"))
    list.push(...createTalosConfigControllers({ clock, entropy, pki: clusters.pki }));
  if (clusters.providers.has("control-plane-talos"))
    list.push(createTalosControlPlaneController({ ...ports, ...clusters, kinds }));
  if (machines !== undefined) {
    list.push(createServerController({ ...machines, clock, metrics }));
    const { neighbours } = machines;
    const install = createInstallController({ dial: clusters.dial, clock, neighbour: (address) => neighbours.of(address) });
    list.push(install);
  }
  if (clusters.providers.has("infrastructure-sidero"))
    list.push(
      createMetalClusterController(clusters.providers.has("control-plane-talos")),
      createMetalClusterNodesController(workloads),
      createMetalMachineController({ clock, workloads }),
      createMetalMachineTemplateController(),
    );
  if (assets === undefined) return list;
  const { blobs, downloads } = assets;
  list.push(createEnvironmentController(blobs, downloads), createAssetStoreController(blobs, downloads, clock));
  return list;
}

/** What keeps workers at their number, in the shape that is wanted, and healthy. */
function sets(ports: MachineSetPorts & HealthPorts): Controller[] {
  return [
    createMachineSetController(ports),
    createMachineDeploymentController(ports),
    createHealthCheckController(ports),
    createTopologyController(ports),
    createClusterClassController(ports),
  ];
}
