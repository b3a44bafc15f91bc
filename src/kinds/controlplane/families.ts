/** The kinds of the Talos control plane provider, as its own release names them to Cluster API, clusterctl and cert-manager. */
import type { Family } from "#schema/family.ts";
import { TalosControlPlaneTemplate } from "./v1alpha3/talos-control-plane-template.ts";
import { TalosControlPlane } from "./v1alpha3/talos-control-plane.ts";

/** Upstream stops at contract v1beta1; ours has the fields of v1beta2 in the same version. */
const packaging = {
  labels: {
    "cluster.x-k8s.io/provider": "control-plane-talos",
    "cluster.x-k8s.io/v1alpha3": "v1alpha3",
    "cluster.x-k8s.io/v1alpha4": "v1alpha3",
    "cluster.x-k8s.io/v1beta1": "v1alpha3",
    "cluster.x-k8s.io/v1beta2": "v1alpha3",
  },
  webhook: { namespace: "cacppt-system", service: "cacppt-webhook-service", certificate: "cacppt-serving-cert" },
};

export const controlPlaneFamilies: readonly Family[] = [
  { ...packaging, storage: TalosControlPlane, older: [] },
  { ...packaging, storage: TalosControlPlaneTemplate, older: [] },
];
