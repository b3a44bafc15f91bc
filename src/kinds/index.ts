/** Every kind of Sidero, in all its versions. */
import type { Family } from "#schema/family.ts";
import { bootstrapFamilies } from "./bootstrap/families.ts";
import { controlPlaneFamilies } from "./controlplane/families.ts";
import { coreFamilies } from "./cluster/families.ts";
import { conversion as metalCluster } from "./infrastructure/v1alpha2/metal-cluster.ts";
import { conversion as metalMachine } from "./infrastructure/v1alpha2/metal-machine.ts";
import { conversion as metalMachineTemplate } from "./infrastructure/v1alpha2/metal-machine-template.ts";
import { MetalCluster } from "./infrastructure/v1alpha3/metal-cluster.ts";
import { MetalClusterTemplate } from "./infrastructure/v1alpha3/metal-cluster-template.ts";
import { MetalMachine } from "./infrastructure/v1alpha3/metal-machine.ts";
import { MetalMachineTemplate } from "./infrastructure/v1alpha3/metal-machine-template.ts";
import { ServerBinding } from "./infrastructure/v1alpha3/server-binding.ts";
import { conversion as environment } from "./metal/v1alpha1/environment.ts";
import { conversion as server } from "./metal/v1alpha1/server.ts";
import { conversion as serverClass } from "./metal/v1alpha1/server-class.ts";
import { BootRecord } from "./metal/v1alpha2/boot-record.ts";
import { Environment } from "./metal/v1alpha2/environment.ts";
import { Server } from "./metal/v1alpha2/server.ts";
import { ServerClass } from "./metal/v1alpha2/server-class.ts";
import { MOVE, packaging } from "./packaging.ts";

const metal = packaging("sidero", "v1alpha2");
const metalMoved = { ...metal, labels: { ...metal.labels, ...MOVE } };
const infrastructure = packaging("caps", "v1alpha3");
/** Owned by no Cluster, so `clusterctl move` would leave it behind, and the target would take its Server for free. */
const infrastructureMoved = { ...infrastructure, labels: { ...infrastructure.labels, ...MOVE } };

const ours: readonly Family[] = [
  { ...metal, storage: BootRecord, older: [] },
  { ...metalMoved, storage: Environment, older: [environment] },
  { ...metalMoved, storage: Server, older: [server] },
  { ...metalMoved, storage: ServerClass, older: [serverClass] },
  { ...infrastructure, storage: MetalCluster, older: [metalCluster] },
  { ...infrastructure, storage: MetalClusterTemplate, older: [] },
  { ...infrastructure, storage: MetalMachine, older: [metalMachine] },
  { ...infrastructure, storage: MetalMachineTemplate, older: [metalMachineTemplate] },
  { ...infrastructureMoved, storage: ServerBinding, older: [] },
];

/** Controllers and kinds that come together, each of which Cluster API lets somebody else provide. */
export const PROVIDERS = ["core", "bootstrap-talos", "control-plane-talos", "infrastructure-sidero"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What a provider brings. Our own kinds stay when our infrastructure controllers are switched off: Servers have use for them. */
const provided: Readonly<Record<Provider, readonly Family[]>> = {
  core: coreFamilies,
  "bootstrap-talos": bootstrapFamilies,
  "control-plane-talos": controlPlaneFamilies,
  "infrastructure-sidero": [],
};

export function familiesOf(providers: Iterable<Provider>): readonly Family[] {
  return [...ours, ...[...providers].flatMap((provider) => provided[provider])];
}

export const families = familiesOf(PROVIDERS);
