/** How Sidero's CRDs are known to Cluster API, clusterctl and cert-manager; as the Go project's release had it. */
import type { Family } from "#schema/family.ts";

/**
 * Labels and webhook of a CRD. `manager` is the component that serves its webhooks (`sidero` or `caps`); the
 * contract labels name the API version that Cluster API shall use under each of its contracts.
 */
export function packaging(manager: "sidero" | "caps", apiVersion: string): Omit<Family, "storage" | "older"> {
  return {
    labels: {
      app: "sidero",
      "cluster.x-k8s.io/provider": "sidero",
      "cluster.x-k8s.io/v1alpha3": apiVersion,
      "cluster.x-k8s.io/v1alpha4": apiVersion,
      "cluster.x-k8s.io/v1beta1": apiVersion,
      "cluster.x-k8s.io/v1beta2": apiVersion,
    },
    webhook: { namespace: "sidero-system", service: `${manager}-webhook-service`, certificate: `${manager}-serving-cert` },
  };
}

/** `clusterctl move` takes every object of a kind with this label along, whoever owns it. */
export const MOVE = { "clusterctl.cluster.x-k8s.io/move": "" };
