/** MetalCluster under Cluster API v1alpha2: a list of endpoints, in the spec or found out in the status. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, object } from "#schema/kit.ts";
import { ApiEndpoint } from "../endpoint.ts";
import { metalCluster, metalClusterColumns } from "../v1alpha3/metal-cluster.ts";
import type { MetalCluster as Hub } from "../v1alpha3/metal-cluster.ts";

const Spec = object({
  apiEndpoints: array(ApiEndpoint).doc("Where the workload cluster's API server will answer; the first is used."),
});

const Status = object({
  ready: boolean().required().doc("The infrastructure is there."),
  apiEndpoints: array(ApiEndpoint).doc("Where the workload cluster's API server answers."),
});

export const MetalCluster = kind({
  ...metalCluster,
  version: "v1alpha2",
  columns: metalClusterColumns(".spec.apiEndpoints[0].host"),
  spec: Spec.doc("What is wanted."),
  status: Status.doc("What is the case."),
});
export type MetalCluster = Resource<typeof MetalCluster>;

export const conversion = older<typeof MetalCluster, typeof Hub>({
  kind: MetalCluster,
  up({ spec, status }) {
    const endpoint = spec?.apiEndpoints?.[0] ?? status?.apiEndpoints?.[0];
    return present({
      spec: endpoint === undefined ? spec && {} : { controlPlaneEndpoint: endpoint },
      status: status && { ready: status.ready },
    });
  },
  down({ spec, status }) {
    const apiEndpoints = spec?.controlPlaneEndpoint && [spec.controlPlaneEndpoint];
    return present({ spec: spec && present({ apiEndpoints }), status: status && present({ ready: status.ready, apiEndpoints }) });
  },
});
