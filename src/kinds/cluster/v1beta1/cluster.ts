/** Cluster of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, int32, int64, map, object, string } from "#schema/kit.ts";
import type { TypeOf } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ObjectReference } from "../../reference.ts";
import { cluster, CLUSTER_PHASES } from "../v1beta2/cluster.ts";
import type { Cluster as Hub, ClusterNetwork as HubNetwork, ClusterPhase, FailureDomain } from "../v1beta2/cluster.ts";
import { ageColumn } from "../v1beta2/machine.ts";
import { ConditionsV1Beta2, ReadinessGates } from "../v1beta2/template.ts";
import { referenceDown, referenceUp } from "./reference.ts";
import { oneOf, said, some } from "./some.ts";
import { Topology, topologyDown, topologyUp } from "./topology.ts";

const Ranges = object({ cidrBlocks: array(string()).atomic().required().doc("Networks, such as 10.244.0.0/16.") });

export const ClusterNetwork = object({
  apiServerPort: int32().doc("TCP port that API servers bind to."),
  services: Ranges.doc("Addresses of Services."),
  pods: Ranges.doc("Addresses of Pods."),
  serviceDomain: string().doc("Domain of Services; cluster.local when nothing is said."),
});

const ClusterSpec = object({
  paused: boolean().doc("Nothing is done about the cluster and its objects."),
  clusterNetwork: ClusterNetwork.doc("Networks inside the cluster."),
  controlPlaneEndpoint: object({
    host: string().required().max(512).doc("Host name or address of the API server."),
    port: int32().required().doc("TCP port of the API server."),
  }).doc("Where the API server answers; an empty host and port 0 say nothing."),
  controlPlaneRef: ObjectReference.doc("The object that stands for the control plane."),
  infrastructureRef: ObjectReference.doc("The object that stands for the infrastructure of the whole cluster."),
  topology: Topology.doc("The cluster as its ClusterClass is to make it."),
  availabilityGates: ReadinessGates.doc("Conditions of the Cluster that must be good before it is available."),
});

const Counts = object({
  desiredReplicas: int32().doc("How many machines are wanted."),
  replicas: int32().doc("How many there are."),
  upToDateReplicas: int32().doc("How many are as they are wanted."),
  readyReplicas: int32().doc("How many are ready."),
  availableReplicas: int32().doc("How many have been ready long enough."),
});

const ClusterStatus = object({
  failureDomains: map(
    object({
      controlPlane: boolean().doc("Control plane machines may be placed in it."),
      attributes: map(string()).doc("Anything else worth knowing about it."),
    }),
  ).doc("Where machines can be placed apart from each other, by name."),
  failureReason: string().doc("What cannot be mended without help, as one word."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence."),
  phase: string().doc("Where it stands, as one word."),
  infrastructureReady: boolean().doc("The infrastructure is there."),
  controlPlaneReady: boolean().doc("The API server has answered."),
  conditions: Conditions.doc("The conditions with their severities."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  v1beta2: object({
    conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them."),
    controlPlane: Counts.doc("Machines of the control plane."),
    workers: Counts.doc("Workers."),
  }).doc("Status of contract v1beta2."),
});

export const Cluster = kind({
  ...cluster,
  version: "v1beta1",
  columns: [
    { name: "ClusterClass", type: "string", description: "Class it is made from", jsonPath: ".spec.topology.class" },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    ageColumn,
    { name: "Version", type: "string", description: "Kubernetes version of its topology", jsonPath: ".spec.topology.version" },
  ],
  spec: ClusterSpec.doc("What is wanted."),
  status: ClusterStatus.doc("What is the case."),
});
export type Cluster = Resource<typeof Cluster>;

type Spec = NonNullable<Cluster["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<Cluster["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function rangesUp(ranges: TypeOf<typeof Ranges> | undefined): TypeOf<typeof Ranges> | undefined {
  return ranges === undefined || ranges.cidrBlocks.length === 0 ? undefined : ranges;
}

export function networkUp({
  apiServerPort,
  services,
  pods,
  serviceDomain,
}: TypeOf<typeof ClusterNetwork>): HubNetwork | undefined {
  return some(
    present({
      apiServerPort: apiServerPort === 0 ? undefined : apiServerPort,
      services: rangesUp(services),
      pods: rangesUp(pods),
      serviceDomain: said(serviceDomain),
    }),
  );
}

function specUp({ controlPlaneEndpoint: endpoint, ...spec }: Spec): HubSpec {
  const { paused, clusterNetwork, controlPlaneRef, infrastructureRef, topology, availabilityGates } = spec;
  return present({
    paused,
    clusterNetwork: clusterNetwork && networkUp(clusterNetwork),
    controlPlaneEndpoint:
      endpoint && some(present({ host: said(endpoint.host), port: endpoint.port === 0 ? undefined : endpoint.port })),
    controlPlaneRef: controlPlaneRef && referenceUp(controlPlaneRef),
    infrastructureRef: infrastructureRef && referenceUp(infrastructureRef),
    topology: topology && topologyUp(topology),
    availabilityGates,
  });
}

function specDown({ controlPlaneEndpoint: endpoint, controlPlaneRef, infrastructureRef, topology, ...same }: HubSpec): Spec {
  return present({
    ...same,
    controlPlaneEndpoint: endpoint && { host: endpoint.host ?? "", port: endpoint.port ?? 0 },
    controlPlaneRef: controlPlaneRef && referenceDown(controlPlaneRef),
    infrastructureRef: infrastructureRef && referenceDown(infrastructureRef),
    topology: topology && topologyDown(topology),
  });
}

function domainsUp(domains: Status["failureDomains"]): FailureDomain[] | undefined {
  if (domains === undefined) return undefined;
  const list = Object.entries(domains).map(([name, domain]) => ({ name, ...domain }));
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function statusUp(status: Status): HubStatus {
  const { infrastructureReady, controlPlaneReady, observedGeneration, v1beta2, phase, failureReason, failureMessage } = status;
  const v1beta1 = some(present({ conditions: status.conditions, failureReason, failureMessage }));
  return present({
    conditions: v1beta2?.conditions,
    initialization: some(present({ infrastructureProvisioned: infrastructureReady, controlPlaneInitialized: controlPlaneReady })),
    controlPlane: v1beta2?.controlPlane,
    workers: v1beta2?.workers,
    failureDomains: domainsUp(status.failureDomains),
    phase: oneOf<ClusterPhase>(phase, CLUSTER_PHASES),
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
    deprecated: v1beta1 && { v1beta1 },
  });
}

function countsDown(counts: HubStatus["workers"]): TypeOf<typeof Counts> | undefined {
  if (counts === undefined) return undefined;
  const { versions: _versions, upgradePlan: _plan, ...same } = counts;
  return same;
}

function statusDown(status: HubStatus): Status {
  const { conditions, initialization, failureDomains, phase, observedGeneration, deprecated } = status;
  const v1beta2 = present({
    conditions,
    controlPlane: countsDown(status.controlPlane),
    workers: countsDown(status.workers),
  });
  return present({
    failureDomains: failureDomains && Object.fromEntries(failureDomains.map(({ name, ...domain }) => [name, domain])),
    failureReason: deprecated?.v1beta1?.failureReason,
    failureMessage: deprecated?.v1beta1?.failureMessage,
    phase,
    infrastructureReady: initialization?.infrastructureProvisioned,
    controlPlaneReady: initialization?.controlPlaneInitialized,
    conditions: deprecated?.v1beta1?.conditions,
    observedGeneration,
    v1beta2: some(v1beta2),
  });
}

export const conversion = older<typeof Cluster, typeof Hub>({
  kind: Cluster,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
