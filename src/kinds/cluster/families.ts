/** The kinds of Cluster API's core, as its own release names them to clusterctl and cert-manager. */
import type { Family } from "#schema/family.ts";
import { conversion as clusterResourceSetBinding } from "../addons/v1beta1/cluster-resource-set-binding.ts";
import { conversion as clusterResourceSet } from "../addons/v1beta1/cluster-resource-set.ts";
import { ClusterResourceSetBinding } from "../addons/v1beta2/cluster-resource-set-binding.ts";
import { ClusterResourceSet } from "../addons/v1beta2/cluster-resource-set.ts";
import { conversion as clusterV1Alpha2 } from "./v1alpha2/cluster.ts";
import { conversion as machineV1Alpha2 } from "./v1alpha2/machine.ts";
import { conversion as cluster } from "./v1beta1/cluster.ts";
import { conversion as clusterClass } from "./v1beta1/cluster-class.ts";
import { conversion as machine } from "./v1beta1/machine.ts";
import { conversion as machineDeployment } from "./v1beta1/machine-deployment.ts";
import { conversion as machineDrainRule } from "./v1beta1/machine-drain-rule.ts";
import { conversion as machineHealthCheck } from "./v1beta1/machine-health-check.ts";
import { conversion as machineSet } from "./v1beta1/machine-set.ts";
import { Cluster } from "./v1beta2/cluster.ts";
import { ClusterClass } from "./v1beta2/cluster-class.ts";
import { Machine } from "./v1beta2/machine.ts";
import { MachineDeployment } from "./v1beta2/machine-deployment.ts";
import { MachineDrainRule } from "./v1beta2/machine-drain-rule.ts";
import { MachineHealthCheck } from "./v1beta2/machine-health-check.ts";
import { MachineSet } from "./v1beta2/machine-set.ts";

/** For every core kind. */
export const corePackaging: Omit<Family, "storage" | "older"> = {
  labels: {
    "cluster.x-k8s.io/provider": "cluster-api",
    "cluster.x-k8s.io/v1beta1": "v1beta1",
    "cluster.x-k8s.io/v1beta2": "v1beta2",
  },
  webhook: { namespace: "capi-system", service: "capi-webhook-service", certificate: "capi-serving-cert" },
};

export const coreFamilies: readonly Family[] = [
  { ...corePackaging, storage: Cluster, older: [cluster, clusterV1Alpha2] },
  { ...corePackaging, storage: ClusterClass, older: [clusterClass] },
  { ...corePackaging, storage: Machine, older: [machine, machineV1Alpha2] },
  { ...corePackaging, storage: MachineSet, older: [machineSet] },
  { ...corePackaging, storage: MachineDeployment, older: [machineDeployment] },
  { ...corePackaging, storage: MachineHealthCheck, older: [machineHealthCheck] },
  { ...corePackaging, storage: MachineDrainRule, older: [machineDrainRule] },
  { ...corePackaging, storage: ClusterResourceSet, older: [clusterResourceSet] },
  { ...corePackaging, storage: ClusterResourceSetBinding, older: [clusterResourceSetBinding] },
];
