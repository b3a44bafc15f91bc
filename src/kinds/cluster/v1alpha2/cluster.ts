/** Cluster under Cluster API v1alpha2: it has an infrastructure and no control plane object, and its endpoints are found out. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, int32, object, string } from "#schema/kit.ts";
import { ObjectReference } from "../../reference.ts";
import { ClusterNetwork, networkUp } from "../v1beta1/cluster.ts";
import { referenceDown, referenceUp } from "../v1beta1/reference.ts";
import { oneOf, said, some } from "../v1beta1/some.ts";
import { cluster, CLUSTER_PHASES } from "../v1beta2/cluster.ts";
import type { Cluster as Hub, ClusterPhase } from "../v1beta2/cluster.ts";
import { ageColumn } from "../v1beta2/machine.ts";

const ClusterSpec = object({
  clusterNetwork: ClusterNetwork.doc("Networks inside the cluster."),
  infrastructureRef: ObjectReference.doc("The object that stands for the infrastructure of the whole cluster."),
});

const ClusterStatus = object({
  apiEndpoints: array(
    object({
      host: string().required().doc("Host name or address of the API server."),
      port: int32().required().doc("TCP port of the API server."),
    }),
  ).doc("Where the API server answers; the first is used."),
  errorReason: string().doc("What cannot be mended without help, as one word."),
  errorMessage: string().doc("What cannot be mended without help, as a sentence."),
  phase: string().doc("Where it stands, as one word."),
  infrastructureReady: boolean().doc("The infrastructure is there."),
  controlPlaneInitialized: boolean().doc("The API server has answered."),
});

export const Cluster = kind({
  ...cluster,
  version: "v1alpha2",
  columns: [{ name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" }, ageColumn],
  spec: ClusterSpec.doc("What is wanted."),
  status: ClusterStatus.doc("What is the case."),
});
export type Cluster = Resource<typeof Cluster>;

type Status = NonNullable<Cluster["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function statusUp({ errorReason, errorMessage, phase, infrastructureReady, controlPlaneInitialized }: Status): HubStatus {
  const v1beta1 = some(present({ failureReason: errorReason, failureMessage: errorMessage }));
  return present({
    initialization: some(present({ infrastructureProvisioned: infrastructureReady, controlPlaneInitialized })),
    phase: oneOf<ClusterPhase>(phase, CLUSTER_PHASES),
    deprecated: v1beta1 && { v1beta1 },
  });
}

function statusDown({ initialization, phase, deprecated }: HubStatus): Omit<Status, "apiEndpoints"> {
  return present({
    errorReason: deprecated?.v1beta1?.failureReason,
    errorMessage: deprecated?.v1beta1?.failureMessage,
    phase,
    infrastructureReady: initialization?.infrastructureProvisioned,
    controlPlaneInitialized: initialization?.controlPlaneInitialized,
  });
}

export const conversion = older<typeof Cluster, typeof Hub>({
  kind: Cluster,
  up({ spec, status }) {
    const [endpoint] = status?.apiEndpoints ?? [];
    const found = endpoint && some(present({ host: said(endpoint.host), port: endpoint.port === 0 ? undefined : endpoint.port }));
    const { clusterNetwork, infrastructureRef } = spec ?? {};
    const wanted = present({
      clusterNetwork: clusterNetwork && networkUp(clusterNetwork),
      controlPlaneEndpoint: found,
      infrastructureRef: infrastructureRef && referenceUp(infrastructureRef),
    });
    return present({ spec: spec === undefined && found === undefined ? undefined : wanted, status: status && statusUp(status) });
  },
  down({ spec, status }) {
    const { controlPlaneEndpoint: endpoint, clusterNetwork, infrastructureRef } = spec ?? {};
    const apiEndpoints = endpoint && [{ host: endpoint.host ?? "", port: endpoint.port ?? 0 }];
    const told = present({ apiEndpoints, ...(status && statusDown(status)) });
    return present({
      spec: spec && present({ clusterNetwork, infrastructureRef: infrastructureRef && referenceDown(infrastructureRef) }),
      status: status === undefined && apiEndpoints === undefined ? undefined : told,
    });
  },
});
