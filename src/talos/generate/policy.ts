/** What Talos gives the API server unless told otherwise (facts §5.4, §5.6). */
import type { JsonObject } from "#std/json.ts";

export function podSecurity(): JsonObject {
  return {
    apiVersion: "pod-security.admission.config.k8s.io/v1alpha1",
    defaults: {
      audit: "restricted",
      "audit-version": "latest",
      enforce: "baseline",
      "enforce-version": "latest",
      warn: "restricted",
      "warn-version": "latest",
    },
    exemptions: { namespaces: ["kube-system"], runtimeClasses: [], usernames: [] },
    kind: "PodSecurityConfiguration",
  };
}

export function auditPolicy(): JsonObject {
  return { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Metadata" }] };
}

/** Anybody may ask whether it is healthy. */
export function authentication(): JsonObject {
  return {
    anonymous: { conditions: ["/livez", "/readyz", "/healthz"].map((path) => ({ path })), enabled: true },
    jwt: [],
  };
}

export const OFF_LOAD_BALANCERS = "node.kubernetes.io/exclude-from-external-load-balancers";
export const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

export function imageOf(
  name: "kubelet" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kube-proxy",
  version: string,
): string {
  return `${name === "kubelet" ? "ghcr.io/siderolabs" : "registry.k8s.io"}/${name}:v${version}`;
}
