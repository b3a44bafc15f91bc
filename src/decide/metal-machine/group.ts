/** Machines that fail together at a cost: they are placed apart as far as Servers allow. */
import { CLUSTER_NAME, CONTROL_PLANE, DEPLOYMENT_NAME, SET_NAME } from "#kinds/cluster/keys.ts";

/** The control plane of a cluster, or the workers of one of its deployments; from the labels that a binding has of its MetalMachine. */
export function groupOf(namespace: string, labels: Readonly<Record<string, string>> = {}): string {
  const role = Object.hasOwn(labels, CONTROL_PLANE) ? "control-plane" : `${labels[DEPLOYMENT_NAME] ?? labels[SET_NAME] ?? ""}`;
  return `${namespace}/${labels[CLUSTER_NAME] ?? ""}/${role}`;
}
