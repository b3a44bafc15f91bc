/** The topology of a Cluster as v1beta1 says it. */
import { present } from "#schema/conversion.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int32, intOrString, json, object, string } from "#schema/kit.ts";
import { ReadinessGates, Share, TemplateMetadata } from "../v1beta2/template.ts";
import type {
  ClusterVariable as HubVariable,
  ControlPlaneTopology as HubControlPlane,
  MachineDeploymentTopology as HubDeployment,
  MachinePoolTopology as HubPool,
  RolloutStrategy as HubStrategy,
  Topology as Hub,
} from "../v1beta2/topology.ts";
import { checksUp, healthCheckDown, healthCheckFields, remediationUp } from "./health-check.ts";
import { deletionDown, deletionUp, timeouts } from "./machine-spec.ts";
import { oneOf, said, some } from "./some.ts";

const Variable = object({
  name: string().required().min(1).max(256).doc("Name of the variable."),
  definitionFrom: string().max(256).doc("No longer used."),
  value: json().required().doc("Its value: any JSON that the class's schema accepts."),
});
type Variable = TypeOf<typeof Variable>;
const Variables = array(Variable).listMap("name").max(1000);
const Overrides = object({ overrides: Variables.doc("Values in place of those of the whole cluster.") }).doc(
  "Values of variables for these machines.",
);

/** How machines are replaced, as v1beta1 says it. */
export const RolloutStrategy = object({
  type: enumeration("RollingUpdate", "OnDelete").doc("RollingUpdate: a few at a time. OnDelete: when somebody deletes them."),
  rollingUpdate: object({
    maxUnavailable: Share.doc("How many, or how large a share, may be missing meanwhile. Default 0."),
    maxSurge: Share.doc("How many, or how large a share, may be there beyond what is wanted. Default 1."),
    deletePolicy: enumeration("Random", "Newest", "Oldest").doc("Which machines go first."),
  }).doc("How many at a time."),
  remediation: object({ maxInFlight: intOrString().doc("How many machines are remedied at a time.") }).doc(
    "How unhealthy machines are replaced.",
  ),
});
export type RolloutStrategy = TypeOf<typeof RolloutStrategy>;

const MachineHealthCheck = object({
  enable: boolean().doc("Whether machines are checked; when nothing is said, what the class says."),
  ...healthCheckFields,
});

const common = {
  metadata: TemplateMetadata.doc("Labels and annotations of its objects."),
  replicas: int32().min(0).doc("How many machines."),
  ...timeouts,
  readinessGates: ReadinessGates.doc("Conditions of a Machine that must be good before it is ready."),
  variables: Overrides,
};

const ControlPlaneTopology = object({
  ...common,
  machineHealthCheck: MachineHealthCheck.doc("Health checks of its machines."),
});

const shared = {
  class: string().required().min(1).max(256).doc("Name of the class of machines in the ClusterClass."),
  name: string().required().min(1).max(63).doc("Name by which the topology knows it."),
  minReadySeconds: int32().min(0).doc("Seconds a machine must be ready to count as available."),
};

const MachineDeploymentTopology = object({
  ...common,
  ...shared,
  failureDomain: string().doc("Failure domain of its machines."),
  machineHealthCheck: MachineHealthCheck.doc("Health checks of its machines."),
  strategy: RolloutStrategy.doc("How machines are replaced."),
});

const MachinePoolTopology = object({
  ...common,
  ...shared,
  failureDomains: array(string()).atomic().doc("Failure domains of its machines."),
});

export const Topology = object({
  class: string().required().min(1).max(253).doc("Name of the ClusterClass."),
  classNamespace: string().max(253).doc("Its namespace; when nothing is said, the Cluster's."),
  version: string().required().doc("Kubernetes version, such as v1.34.1."),
  rolloutAfter: dateTime().doc("No longer used."),
  controlPlane: ControlPlaneTopology.doc("The control plane."),
  workers: object({
    machineDeployments: array(MachineDeploymentTopology).listMap("name").max(2000).doc("Sets of workers."),
    machinePools: array(MachinePoolTopology).listMap("name").max(2000).doc("Pools of workers."),
  }).doc("The workers."),
  variables: Variables.doc("Values of the class's variables."),
});
export type Topology = TypeOf<typeof Topology>;

function variablesUp(variables: Variable[] | undefined): HubVariable[] | undefined {
  return variables === undefined || variables.length === 0 ? undefined : variables.map(({ name, value }) => ({ name, value }));
}

function overridesUp(variables: { overrides?: Variable[] } | undefined): { overrides?: HubVariable[] } | undefined {
  return some(present({ overrides: variablesUp(variables?.overrides) }));
}

/** Without a type a strategy that says how many at a time is RollingUpdate; one that says neither is none. */
export function strategyUp(strategy: RolloutStrategy | undefined): HubStrategy | undefined {
  const { maxUnavailable, maxSurge } = strategy?.rollingUpdate ?? {};
  const rollingUpdate = some(present({ maxUnavailable, maxSurge }));
  const type = strategy?.type ?? (rollingUpdate && "RollingUpdate");
  return type && present({ type, rollingUpdate });
}

/** Parts of v1beta1's strategy stand in three places of v1beta2. Undefined when none of them is there. */
export function strategyDown(
  strategy: HubStrategy | undefined,
  order: "Random" | "Newest" | "Oldest" | undefined,
  maxInFlight: number | string | undefined,
): RolloutStrategy | undefined {
  return some(
    present({
      type: strategy?.type,
      rollingUpdate: some(present({ ...strategy?.rollingUpdate, deletePolicy: order })),
      remediation: maxInFlight === undefined ? undefined : { maxInFlight },
    }),
  );
}

function controlPlaneUp(topology: TypeOf<typeof ControlPlaneTopology>): HubControlPlane {
  const { metadata, replicas, readinessGates, variables, machineHealthCheck: check } = topology;
  const healthCheck = check && present({ enabled: check.enable, checks: checksUp(check), remediation: remediationUp(check) });
  return present({
    metadata,
    replicas,
    readinessGates,
    variables: overridesUp(variables),
    healthCheck: healthCheck && some(healthCheck),
    deletion: deletionUp(topology),
  });
}

function controlPlaneDown(topology: HubControlPlane): TypeOf<typeof ControlPlaneTopology> {
  const { metadata, replicas, readinessGates, variables, healthCheck, deletion } = topology;
  return present({
    metadata,
    replicas,
    readinessGates,
    variables,
    machineHealthCheck:
      healthCheck && present({ enable: healthCheck.enabled, ...healthCheckDown(healthCheck.checks, healthCheck.remediation) }),
    ...deletionDown(deletion),
  });
}

function deploymentUp(topology: TypeOf<typeof MachineDeploymentTopology>): HubDeployment {
  const { metadata, replicas, readinessGates, variables, name, minReadySeconds, strategy } = topology;
  const check = topology.machineHealthCheck;
  const { maxInFlight } = strategy?.remediation ?? {};
  const remediation = some(present({ maxInFlight, ...(check && remediationUp(check)) }));
  const healthCheck = present({ enabled: check?.enable, checks: check && checksUp(check), remediation });
  const order = oneOf(strategy?.rollingUpdate?.deletePolicy, ["Random", "Newest", "Oldest"]);
  return present({
    class: topology.class,
    name,
    metadata,
    replicas,
    readinessGates,
    minReadySeconds,
    variables: overridesUp(variables),
    failureDomain: said(topology.failureDomain),
    healthCheck: some(healthCheck),
    deletion: some(present({ order, ...deletionUp(topology) })),
    rollout: some(present({ strategy: strategyUp(strategy) })),
  });
}

function deploymentDown(topology: HubDeployment): TypeOf<typeof MachineDeploymentTopology> {
  const { metadata, replicas, readinessGates, variables, name, minReadySeconds, failureDomain, healthCheck, deletion } = topology;
  const { maxInFlight } = healthCheck?.remediation ?? {};
  const check = healthCheck && {
    ...present({ enable: healthCheck.enabled }),
    ...healthCheckDown(healthCheck.checks, healthCheck.remediation),
  };
  return present({
    class: topology.class,
    name,
    metadata,
    replicas,
    readinessGates,
    minReadySeconds,
    variables,
    failureDomain,
    machineHealthCheck: check && some(check),
    ...deletionDown(deletion),
    strategy: strategyDown(topology.rollout?.strategy, deletion?.order, maxInFlight),
  });
}

function poolUp(topology: TypeOf<typeof MachinePoolTopology>): HubPool {
  const { metadata, replicas, readinessGates, variables, name, minReadySeconds, failureDomains } = topology;
  return present({
    class: topology.class,
    name,
    metadata,
    replicas,
    readinessGates,
    minReadySeconds,
    variables: overridesUp(variables),
    failureDomains: failureDomains?.length === 0 ? undefined : failureDomains,
    deletion: deletionUp(topology),
  });
}

function poolDown(topology: HubPool): TypeOf<typeof MachinePoolTopology> {
  const { taints: _lost, deletion, ...same } = topology;
  return { ...same, ...deletionDown(deletion) };
}

export function topologyUp(topology: Topology): Hub {
  const { version, controlPlane, workers, variables } = topology;
  const { machineDeployments = [], machinePools = [] } = workers ?? {};
  return present({
    classRef: present({ name: topology.class, namespace: said(topology.classNamespace) }),
    version,
    controlPlane: controlPlane && controlPlaneUp(controlPlane),
    workers: some(
      present({
        machineDeployments: machineDeployments.length === 0 ? undefined : machineDeployments.map(deploymentUp),
        machinePools: machinePools.length === 0 ? undefined : machinePools.map(poolUp),
      }),
    ),
    variables: variablesUp(variables),
  });
}

export function topologyDown({ classRef, version, controlPlane, workers, variables }: Hub): Topology {
  return present({
    class: classRef.name,
    classNamespace: classRef.namespace,
    version,
    controlPlane: controlPlane && controlPlaneDown(controlPlane),
    workers:
      workers &&
      present({
        machineDeployments: workers.machineDeployments?.map(deploymentDown),
        machinePools: workers.machinePools?.map(poolDown),
      }),
    variables,
  });
}
