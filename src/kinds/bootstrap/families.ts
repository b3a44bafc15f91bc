/** The kinds of the Talos bootstrap provider, as its own release names them to Cluster API, clusterctl and cert-manager. */
import type { Family } from "#schema/family.ts";
import { conversion as talosConfigV1Alpha2 } from "./v1alpha2/talos-config.ts";
import { conversion as talosConfigTemplate } from "./v1alpha3/talos-config-template.ts";
import { conversion as talosConfig } from "./v1alpha3/talos-config.ts";
import { TalosConfigTemplate } from "./v1beta1/talos-config-template.ts";
import { TalosConfig } from "./v1beta1/talos-config.ts";

const packaging = {
  labels: {
    "cluster.x-k8s.io/provider": "bootstrap-talos",
    "cluster.x-k8s.io/v1alpha3": "v1alpha3",
    "cluster.x-k8s.io/v1alpha4": "v1alpha3",
    "cluster.x-k8s.io/v1beta1": "v1alpha3",
    "cluster.x-k8s.io/v1beta2": "v1beta1",
  },
  webhook: { namespace: "cabpt-system", service: "cabpt-webhook-service", certificate: "cabpt-serving-cert" },
};

export const bootstrapFamilies: readonly Family[] = [
  { ...packaging, storage: TalosConfig, older: [talosConfig, talosConfigV1Alpha2] },
  { ...packaging, storage: TalosConfigTemplate, older: [talosConfigTemplate] },
];
