/** How clusters of a sort are made: templates of their parts, variables that people may set, and patches that bring these into the templates. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, enumeration, int32, int64, intOrString, json, map, object, string } from "#schema/kit.ts";
import { validateClass } from "../class.ts";
import { HealthChecks, remediationFields } from "./health-check.ts";
import { ageColumn } from "./machine.ts";
import { pausedColumn } from "./machine-set.ts";
import {
  ConditionsV1Beta2,
  deletionTimeouts,
  MachineDeletion,
  MachineTaints,
  ReadinessGates,
  TemplateMetadata,
} from "./template.ts";
import { DeletionOrder, RolloutStrategy } from "./topology.ts";

export const TemplateReference = object({
  apiVersion: string().required().min(1).max(317).doc("API version of the template."),
  kind: string().required().min(1).max(63).doc("Kind of the template."),
  name: string().required().min(1).max(253).doc("Name of the template, in the class's namespace."),
});
export type TemplateReference = TypeOf<typeof TemplateReference>;

const templateRef = TemplateReference.required().doc("The template.");

/** How objects are named; `more` says what a template may name besides. */
function naming(more: string) {
  return object({
    template: string().min(1).max(1024).doc(`Go template of the name, with .cluster.name${more} and .random.`),
  }).min(1);
}

const Part = object({ templateRef });

const ControlPlaneClass = object({
  metadata: TemplateMetadata.doc("Labels and annotations of the control plane and its Machines."),
  templateRef,
  machineInfrastructure: Part.doc("Template of the infrastructure of its machines."),
  healthCheck: object({
    checks: HealthChecks.doc("When a machine is unhealthy."),
    remediation: object(remediationFields).min(1).doc("What is done about unhealthy machines."),
  })
    .min(1)
    .doc("Health checks of its machines."),
  naming: naming("").doc("How the control plane is named."),
  deletion: MachineDeletion.doc("How long each part of a machine's removal may take."),
  taints: MachineTaints.doc("Taints of its Nodes."),
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
});
export type ControlPlaneClass = TypeOf<typeof ControlPlaneClass>;

const workers = {
  class: string().required().min(1).max(256).doc("Name by which topologies ask for it."),
  metadata: TemplateMetadata.doc("Labels and annotations of its objects and Machines."),
  bootstrap: Part.required().doc("Template of the machines' configuration."),
  infrastructure: Part.required().doc("Template of the machines' infrastructure."),
  taints: MachineTaints.doc("Taints of its Nodes."),
  minReadySeconds: int32().min(0).doc("Seconds a machine must be ready to count as available."),
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
};

const MachineDeploymentClass = object({
  ...workers,
  healthCheck: object({
    checks: HealthChecks.doc("When a machine is unhealthy."),
    remediation: object({
      maxInFlight: intOrString().doc("How many machines are remedied at a time."),
      ...remediationFields,
    })
      .min(1)
      .doc("What is done about unhealthy machines."),
  })
    .min(1)
    .doc("Health checks of its machines."),
  failureDomain: string().min(1).max(256).doc("Failure domain of its machines."),
  naming: naming(", .machineDeployment.topologyName").doc("How the MachineDeployment is named."),
  deletion: object({ order: DeletionOrder.doc("Which machines go first."), ...deletionTimeouts })
    .min(1)
    .doc("Which machines go first, and how long each part of their removal may take."),
  rollout: object({ strategy: RolloutStrategy.doc("How machines are replaced.") })
    .min(1)
    .doc("How machines are replaced."),
});
export type MachineDeploymentClass = TypeOf<typeof MachineDeploymentClass>;

const MachinePoolClass = object({
  ...workers,
  failureDomains: array(string().min(1).max(256)).atomic().min(1).max(100).doc("Failure domains of its machines."),
  naming: naming(", .machinePool.topologyName").doc("How the MachinePool is named."),
  deletion: MachineDeletion.doc("How long each part of a machine's removal may take."),
});

const VariableMetadata = object({
  labels: map(string()).doc("Labels of the variable, for other tools."),
  annotations: map(string()).doc("Annotations of the variable, for other tools."),
});

export const ClassVariable = object({
  name: string().required().min(1).max(256).doc("Name of the variable."),
  required: boolean().required().doc("Whether every cluster must have a value for it."),
  deprecatedV1Beta1Metadata: VariableMetadata.doc("Metadata of contract v1beta1."),
  schema: object({
    openAPIV3Schema: json().required().doc("Schema of its values (OpenAPI v3, as CustomResourceDefinitions have it)."),
  })
    .required()
    .doc("What values it may have."),
});
export type ClassVariable = TypeOf<typeof ClassVariable>;

const names = object({
  names: array(string()).atomic().min(1).max(100).doc("Names of classes; * at either end stands for anything."),
}).min(1);

const Selector = object({
  apiVersion: string().required().min(1).max(512).doc("API version of the templates."),
  kind: string().required().min(1).max(63).doc("Kind of the templates."),
  matchResources: object({
    controlPlane: boolean().doc("Templates of the control plane and its machines."),
    infrastructureCluster: boolean().doc("The template of the cluster's infrastructure."),
    machineDeploymentClass: names.doc("Templates of workers of these classes."),
    machinePoolClass: names.doc("Templates of pools of these classes."),
  })
    .required()
    .min(1)
    .doc("Which of the class's templates."),
});

const JsonPatch = object({
  op: enumeration("add", "replace", "remove").required().doc("What is done: add, replace or remove."),
  path: string().required().min(1).max(512).doc("JSON pointer below /spec."),
  value: json().doc("The value."),
  valueFrom: object({
    variable: string().min(1).max(256).doc("The value is this variable's, or a part of it: .name, [0]."),
    template: string().min(1).max(10_240).doc("The value is what this Go template prints, read as YAML."),
  })
    .min(1)
    .doc("Where the value comes from."),
});

export const ClassPatch = object({
  name: string().required().min(1).max(256).doc("Name of the patch."),
  description: string().min(1).max(1024).doc("What it is for."),
  enabledIf: string().min(1).max(256).doc("Go template; the patch is applied when it prints true. Always, when nothing is said."),
  definitions: array(
    object({
      selector: Selector.required().doc("Which templates are patched."),
      jsonPatches: array(JsonPatch).atomic().required().min(1).max(100).doc("What is done to them, in order."),
    }),
  )
    .atomic()
    .min(1)
    .max(100)
    .doc("What is done, in order."),
  external: object({
    generatePatchesExtension: string().min(1).max(512).doc("Runtime extension that makes patches."),
    validateTopologyExtension: string().min(1).max(512).doc("Runtime extension that judges topologies."),
    discoverVariablesExtension: string().min(1).max(512).doc("Runtime extension that brings variables."),
    settings: map(string()).doc("What the extensions are told."),
  })
    .min(1)
    .doc("Patches by a runtime extension. Not done by Sidero: clusters of such a class are told so."),
});
export type ClassPatch = TypeOf<typeof ClassPatch>;

export const ClusterClassSpec = object({
  availabilityGates: ReadinessGates.doc("Conditions of a Cluster that must be good before it is available."),
  infrastructure: object({ templateRef, naming: naming("").doc("How the infrastructure object is named.") })
    .required()
    .doc("The infrastructure of the whole cluster."),
  controlPlane: ControlPlaneClass.required().doc("The control plane."),
  workers: object({
    machineDeployments: array(MachineDeploymentClass).listMap("class").min(1).max(100).doc("Sorts of workers."),
    machinePools: array(MachinePoolClass).listMap("class").min(1).max(100).doc("Sorts of pools, where a provider has them."),
  })
    .min(1)
    .doc("Sorts of workers."),
  variables: array(ClassVariable).listMap("name").min(1).max(1000).doc("Variables that clusters may set."),
  patches: array(ClassPatch).listMap("name").min(1).max(1000).doc("Patches of the templates, applied in order."),
  kubernetesVersions: array(string().min(1).max(256))
    .atomic()
    .min(1)
    .max(100)
    .doc("Versions that clusters may have, oldest first."),
});
export type ClusterClassSpec = TypeOf<typeof ClusterClassSpec>;

/** What all versions have in common. */
export const clusterClass = {
  group: "cluster.x-k8s.io",
  kind: "ClusterClass",
  plural: "clusterclasses",
  shortNames: ["cc"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "How clusters of a sort are made.",
} as const;

export const ClusterClass = kind({
  ...clusterClass,
  version: "v1beta2",
  validate: validateClass,
  columns: [pausedColumn, ageColumn],
  spec: ClusterClassSpec.doc("What is wanted."),
  status: object({
    conditions: ConditionsV1Beta2.doc("RefVersionsUpToDate, VariablesReady, Paused."),
    variables: array(json()).atomic().max(1000).doc("Variables as they are known."),
    observedGeneration: int64().min(1).doc("The metadata.generation that was seen last."),
  }).doc("What is the case."),
});
export type ClusterClass = Resource<typeof ClusterClass>;
