/** ClusterClass of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, int32, int64, json, map, object, string, boolean } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ObjectReference } from "../../reference.ts";
import type {
  ClusterClass as Hub,
  ControlPlaneClass as HubControlPlane,
  MachineDeploymentClass as HubDeployment,
  TemplateReference,
} from "../v1beta2/cluster-class.ts";
import { ClassPatch, clusterClass } from "../v1beta2/cluster-class.ts";
import { ageColumn } from "../v1beta2/machine.ts";
import { ConditionsV1Beta2, ReadinessGates, TemplateMetadata } from "../v1beta2/template.ts";
import { checksUp, healthCheckDown, healthCheckFields, remediationUp } from "./health-check.ts";
import { deletionDown, deletionUp, timeouts } from "./machine-spec.ts";
import { oneOf, said, some } from "./some.ts";
import { RolloutStrategy, strategyDown, strategyUp } from "./topology.ts";

const Part = object({ ref: ObjectReference.required().doc("The template.") });
const Naming = object({ template: string().doc("Go template of the name.") });
const HealthCheck = object(healthCheckFields);

const ControlPlane = object({
  metadata: TemplateMetadata.doc("Labels and annotations of the control plane and its Machines."),
  ref: ObjectReference.required().doc("The template."),
  machineInfrastructure: Part.doc("Template of the infrastructure of its machines."),
  machineHealthCheck: HealthCheck.doc("Health checks of its machines."),
  namingStrategy: Naming.doc("How the control plane is named."),
  ...timeouts,
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
});

const template = object({
  metadata: TemplateMetadata.doc("Labels and annotations of its objects and Machines."),
  bootstrap: Part.required().doc("Template of the machines' configuration."),
  infrastructure: Part.required().doc("Template of the machines' infrastructure."),
});

const Deployment = object({
  class: string().required().min(1).max(256).doc("Name by which topologies ask for it."),
  template: template.required().doc("What its machines are made from."),
  machineHealthCheck: HealthCheck.doc("Health checks of its machines."),
  failureDomain: string().doc("Failure domain of its machines."),
  namingStrategy: Naming.doc("How the MachineDeployment is named."),
  ...timeouts,
  minReadySeconds: int32().min(0).doc("Seconds a machine must be ready to count as available."),
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
  strategy: RolloutStrategy.doc("How machines are replaced."),
});

const Variable = object({
  name: string().required().min(1).max(256).doc("Name of the variable."),
  required: boolean().required().doc("Whether every cluster must have a value for it."),
  metadata: object({
    labels: map(string()).doc("Labels of the variable, for other tools."),
    annotations: map(string()).doc("Annotations of the variable, for other tools."),
  }).doc("Metadata of the variable."),
  schema: object({ openAPIV3Schema: json().required().doc("Schema of its values (OpenAPI v3).") })
    .required()
    .doc("What values it may have."),
});

export const ClusterClass = kind({
  ...clusterClass,
  version: "v1beta1",
  columns: [ageColumn],
  spec: object({
    availabilityGates: ReadinessGates.doc("Conditions of a Cluster that must be good before it is available."),
    infrastructure: object({
      ref: ObjectReference.required().doc("The template."),
      namingStrategy: Naming.doc("How the object is named."),
    })
      .required()
      .doc("The infrastructure of the whole cluster."),
    controlPlane: ControlPlane.required().doc("The control plane."),
    workers: object({ machineDeployments: array(Deployment).listMap("class").max(100).doc("Sorts of workers.") }).doc(
      "Sorts of workers.",
    ),
    variables: array(Variable).listMap("name").max(1000).doc("Variables that clusters may set."),
    patches: array(ClassPatch).listMap("name").max(1000).doc("Patches of the templates, applied in order."),
  }).doc("What is wanted."),
  status: object({
    conditions: Conditions.doc("The conditions with their severities."),
    variables: array(json()).atomic().max(1000).doc("Variables as they are known."),
    observedGeneration: int64().doc("The metadata.generation that was seen last."),
    v1beta2: object({ conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them.") }).doc(
      "Status of contract v1beta2.",
    ),
  }).doc("What is the case."),
});
export type ClusterClass = Resource<typeof ClusterClass>;

type Spec = NonNullable<ClusterClass["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<ClusterClass["status"]>;
type HubStatus = NonNullable<Hub["status"]>;
type Reference = TypeOf<typeof ObjectReference>;

function partUp({ ref }: { ref: Reference }): { templateRef: TemplateReference } {
  const { apiVersion = "", kind: of = "", name = "" } = ref;
  return { templateRef: { apiVersion, kind: of, name } };
}
function partDown({ templateRef }: { templateRef: TemplateReference }): { ref: Reference } {
  return { ref: { ...templateRef } };
}
function namingUp(naming: { template?: string } | undefined): { template?: string } | undefined {
  return some(present({ template: said(naming?.template) }));
}
function healthUp(check: TypeOf<typeof HealthCheck> | undefined) {
  return check && some(present({ checks: checksUp(check), remediation: remediationUp(check) }));
}

function controlPlaneUp(plane: TypeOf<typeof ControlPlane>): HubControlPlane {
  const { metadata, machineInfrastructure, readinessGates } = plane;
  return present({
    metadata,
    ...partUp(plane),
    machineInfrastructure: machineInfrastructure && partUp(machineInfrastructure),
    healthCheck: healthUp(plane.machineHealthCheck),
    naming: namingUp(plane.namingStrategy),
    deletion: deletionUp(plane),
    readinessGates,
  });
}
function controlPlaneDown(plane: HubControlPlane): TypeOf<typeof ControlPlane> {
  const { metadata, machineInfrastructure, healthCheck, naming, deletion, readinessGates } = plane;
  return present({
    metadata,
    ...partDown(plane),
    machineInfrastructure: machineInfrastructure && partDown(machineInfrastructure),
    machineHealthCheck: healthCheck && healthCheckDown(healthCheck.checks, healthCheck.remediation),
    namingStrategy: naming,
    ...deletionDown(deletion),
    readinessGates,
  });
}

function deploymentUp(workers: TypeOf<typeof Deployment>): HubDeployment {
  const { template: made, minReadySeconds, readinessGates, strategy, machineHealthCheck: check } = workers;
  const { maxInFlight } = strategy?.remediation ?? {};
  const remediation = some(present({ maxInFlight, ...(check && remediationUp(check)) }));
  const order = oneOf(strategy?.rollingUpdate?.deletePolicy, ["Random", "Newest", "Oldest"]);
  return present({
    class: workers.class,
    metadata: made.metadata,
    bootstrap: partUp(made.bootstrap),
    infrastructure: partUp(made.infrastructure),
    minReadySeconds,
    readinessGates,
    healthCheck: some(present({ checks: check && checksUp(check), remediation })),
    failureDomain: said(workers.failureDomain),
    naming: namingUp(workers.namingStrategy),
    deletion: some(present({ order, ...deletionUp(workers) })),
    rollout: some(present({ strategy: strategyUp(strategy) })),
  });
}
function deploymentDown(workers: HubDeployment): TypeOf<typeof Deployment> {
  const { metadata, minReadySeconds, readinessGates, healthCheck, failureDomain, naming, deletion, rollout } = workers;
  const check = healthCheck && healthCheckDown(healthCheck.checks, healthCheck.remediation);
  return present({
    class: workers.class,
    template: present({ metadata, bootstrap: partDown(workers.bootstrap), infrastructure: partDown(workers.infrastructure) }),
    machineHealthCheck: check && some(check),
    failureDomain,
    namingStrategy: naming,
    ...deletionDown(deletion),
    minReadySeconds,
    readinessGates,
    strategy: strategyDown(rollout?.strategy, deletion?.order, healthCheck?.remediation?.maxInFlight),
  });
}

/** An empty list says what no list says. */
function list<T>(items: T[] | undefined): T[] | undefined {
  return items === undefined || items.length === 0 ? undefined : items;
}

function specUp({ availabilityGates, infrastructure, controlPlane, workers, variables, patches }: Spec): HubSpec {
  const machineDeployments = list(workers?.machineDeployments)?.map(deploymentUp);
  return present({
    availabilityGates,
    infrastructure: present({ ...partUp(infrastructure), naming: namingUp(infrastructure.namingStrategy) }),
    controlPlane: controlPlaneUp(controlPlane),
    workers: some(present({ machineDeployments })),
    variables: list(variables)?.map(({ metadata, ...variable }) => present({ ...variable, deprecatedV1Beta1Metadata: metadata })),
    patches: list(patches),
  });
}
function specDown({ availabilityGates, infrastructure, controlPlane, workers, variables, patches }: HubSpec): Spec {
  return present({
    availabilityGates,
    infrastructure: present({ ...partDown(infrastructure), namingStrategy: infrastructure.naming }),
    controlPlane: controlPlaneDown(controlPlane),
    workers: some(present({ machineDeployments: workers?.machineDeployments?.map(deploymentDown) })),
    variables: variables?.map(({ deprecatedV1Beta1Metadata: metadata, ...variable }) => present({ ...variable, metadata })),
    patches,
  });
}
function statusUp({ conditions: _old, v1beta2, observedGeneration, variables }: Status): HubStatus {
  return present({
    conditions: v1beta2?.conditions,
    variables,
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
  });
}
function statusDown({ conditions, variables, observedGeneration }: HubStatus): Status {
  return present({ variables, observedGeneration, v1beta2: conditions && { conditions } });
}

export const conversion = older<typeof ClusterClass, typeof Hub>({
  kind: ClusterClass,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
