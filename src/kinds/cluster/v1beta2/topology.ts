/** A cluster as its ClusterClass is to make it. */
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int32, intOrString, json, object, string } from "#schema/kit.ts";
import { HealthChecks, remediationFields } from "./health-check.ts";
import { deletionTimeouts, MachineDeletion, MachineTaints, ReadinessGates, Share, TemplateMetadata } from "./template.ts";

export const ClusterVariable = object({
  name: string().required().min(1).max(256).doc("Name of the variable."),
  value: json().required().doc("Its value: any JSON that the class's schema accepts."),
});
export type ClusterVariable = TypeOf<typeof ClusterVariable>;

const Variables = array(ClusterVariable).listMap("name").min(1).max(1000);
const Overrides = object({ overrides: Variables.doc("Values in place of those of the whole cluster.") })
  .min(1)
  .doc("Values of variables for these machines.");

const enabled = boolean().doc("Whether machines are checked; when nothing is said, what the class says.");
const checks = HealthChecks.doc("When a machine is unhealthy; in place of what the class says.");

const after = dateTime().doc("Machines made before this time are replaced, once it has come.");

const common = {
  metadata: TemplateMetadata.doc("Labels and annotations of its objects."),
  replicas: int32().min(0).doc("How many machines."),
  taints: MachineTaints.doc("Taints of its Nodes."),
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
  variables: Overrides,
};

export const ControlPlaneTopology = object({
  ...common,
  rollout: object({ after }).min(1).doc("When machines are replaced."),
  healthCheck: object({
    enabled,
    checks,
    remediation: object(remediationFields).min(1).doc("What is done about unhealthy machines."),
  })
    .min(1)
    .doc("Health checks of its machines."),
  deletion: MachineDeletion.doc("How long each part of a machine's removal may take."),
});
export type ControlPlaneTopology = TypeOf<typeof ControlPlaneTopology>;

export const DeletionOrder = enumeration("Random", "Newest", "Oldest");

/** How machines are replaced. */
export const RolloutStrategy = object({
  type: enumeration("RollingUpdate", "OnDelete")
    .required()
    .doc("RollingUpdate: a few at a time. OnDelete: when somebody deletes them."),
  rollingUpdate: object({
    maxUnavailable: Share.doc("How many, or how large a share, may be missing meanwhile. Default 0."),
    maxSurge: Share.doc("How many, or how large a share, may be there beyond what is wanted. Default 1."),
  })
    .min(1)
    .doc("How many at a time."),
}).min(1);
export type RolloutStrategy = TypeOf<typeof RolloutStrategy>;

const shared = {
  class: string().required().min(1).max(256).doc("Name of the class of machines in the ClusterClass."),
  name: string().required().min(1).max(63).doc("Name by which the topology knows it."),
  minReadySeconds: int32().min(0).doc("Seconds a machine must be ready to count as available."),
};

export const MachineDeploymentTopology = object({
  ...common,
  ...shared,
  failureDomain: string().min(1).max(256).doc("Failure domain of its machines."),
  healthCheck: object({
    enabled,
    checks,
    remediation: object({
      maxInFlight: intOrString().doc("How many machines are remedied at a time."),
      ...remediationFields,
    })
      .min(1)
      .doc("What is done about unhealthy machines."),
  })
    .min(1)
    .doc("Health checks of its machines."),
  deletion: object({ order: DeletionOrder.doc("Which machines go first."), ...deletionTimeouts })
    .min(1)
    .doc("Which machines go first, and how long each part of their removal may take."),
  rollout: object({ after, strategy: RolloutStrategy.doc("How machines are replaced.") })
    .min(1)
    .doc("When and how machines are replaced."),
});
export type MachineDeploymentTopology = TypeOf<typeof MachineDeploymentTopology>;

export const MachinePoolTopology = object({
  ...common,
  ...shared,
  failureDomains: array(string()).atomic().min(1).max(100).doc("Failure domains of its machines."),
  deletion: MachineDeletion.doc("How long each part of a machine's removal may take."),
});
export type MachinePoolTopology = TypeOf<typeof MachinePoolTopology>;

export const Topology = object({
  classRef: object({
    name: string().required().min(1).max(253).doc("Name of the ClusterClass."),
    namespace: string().min(1).max(253).doc("Its namespace; when nothing is said, the Cluster's."),
  })
    .required()
    .doc("The ClusterClass it is made from."),
  version: string().required().min(1).max(256).doc("Kubernetes version, such as v1.34.1."),
  controlPlane: ControlPlaneTopology.doc("The control plane."),
  workers: object({
    machineDeployments: array(MachineDeploymentTopology).listMap("name").min(1).max(2000).doc("Sets of workers."),
    machinePools: array(MachinePoolTopology).listMap("name").min(1).max(2000).doc("Pools of workers, where a provider has them."),
  })
    .min(1)
    .doc("The workers."),
  variables: Variables.doc("Values of the class's variables."),
}).min(1);
export type Topology = TypeOf<typeof Topology>;
