/** Labels, annotations, finalizers and taints by which Cluster API's controllers know objects (§1.7 of the contract). */

/** Labels. */
export const CLUSTER_NAME = "cluster.x-k8s.io/cluster-name";
export const CONTROL_PLANE = "cluster.x-k8s.io/control-plane";
export const CONTROL_PLANE_NAME = "cluster.x-k8s.io/control-plane-name";
export const SET_NAME = "cluster.x-k8s.io/set-name";
export const DEPLOYMENT_NAME = "cluster.x-k8s.io/deployment-name";
export const POOL_NAME = "cluster.x-k8s.io/pool-name";
export const TEMPLATE_HASH = "machine-template-hash";
export const PROVIDER = "cluster.x-k8s.io/provider";
export const INTERRUPTIBLE = "cluster.x-k8s.io/interruptible";
export const TOPOLOGY_OWNED = "topology.cluster.x-k8s.io/owned";
export const TOPOLOGY_DEPLOYMENT_NAME = "topology.cluster.x-k8s.io/deployment-name";
/** Of a Pod: `skip` or `wait-completed`. */
export const POD_DRAIN = "cluster.x-k8s.io/drain";

/** Annotations. Most count by being there, whatever their value. */
export const PAUSED = "cluster.x-k8s.io/paused";
export const MANAGED_BY = "cluster.x-k8s.io/managed-by";
export const DELETE_MACHINE = "cluster.x-k8s.io/delete-machine";
export const SKIP_REMEDIATION = "cluster.x-k8s.io/skip-remediation";
export const REMEDIATE_MACHINE = "cluster.x-k8s.io/remediate-machine";
/** Counts when it says `true`. */
export const DISABLE_MACHINE_CREATE = "cluster.x-k8s.io/disable-machine-create";
export const CLONED_FROM_NAME = "cluster.x-k8s.io/cloned-from-name";
export const CLONED_FROM_GROUP_KIND = "cluster.x-k8s.io/cloned-from-groupkind";
export const EXCLUDE_NODE_DRAINING = "machine.cluster.x-k8s.io/exclude-node-draining";
export const EXCLUDE_VOLUME_DETACH = "machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach";
/** RFC 3339. */
export const CERTIFICATES_EXPIRY = "machine.cluster.x-k8s.io/certificates-expiry";
/** Prefixes: `<prefix>` or `<prefix>/<hook>`. */
export const PRE_DRAIN_HOOK = "pre-drain.delete.hook.machine.cluster.x-k8s.io";
export const PRE_TERMINATE_HOOK = "pre-terminate.delete.hook.machine.cluster.x-k8s.io";
export const SKIP_PREFLIGHT_CHECKS = "machineset.cluster.x-k8s.io/skip-preflight-checks";
/** `clusters.`, plural: that is how it has always been spelt. */
export const REVISION = "machinedeployment.clusters.x-k8s.io/revision";
export const REVISION_HISTORY = "machinedeployment.clusters.x-k8s.io/revision-history";
export const DESIRED_REPLICAS = "machinedeployment.clusters.x-k8s.io/desired-replicas";
export const MAX_REPLICAS = "machinedeployment.clusters.x-k8s.io/max-replicas";
export const AUTOSCALER_MIN = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size";
export const AUTOSCALER_MAX = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";
export const TOPOLOGY_DRY_RUN = "topology.cluster.x-k8s.io/dry-run";
export const TOPOLOGY_HOLD_UPGRADE = "topology.cluster.x-k8s.io/hold-upgrade-sequence";
export const TOPOLOGY_DEFER_UPGRADE = "topology.cluster.x-k8s.io/defer-upgrade";
export const DELETE_FOR_MOVE = "clusterctl.cluster.x-k8s.io/delete-for-move";

/** Annotations of Nodes. */
export const NODE_CLUSTER_NAME = "cluster.x-k8s.io/cluster-name";
export const NODE_CLUSTER_NAMESPACE = "cluster.x-k8s.io/cluster-namespace";
export const NODE_MACHINE = "cluster.x-k8s.io/machine";
export const NODE_OWNER_KIND = "cluster.x-k8s.io/owner-kind";
export const NODE_OWNER_NAME = "cluster.x-k8s.io/owner-name";
/** Comma-separated, sorted: what the Machine has put there, so that it can be taken away again. */
export const NODE_LABELS_FROM_MACHINE = "cluster.x-k8s.io/labels-from-machine";
export const NODE_ANNOTATIONS_FROM_MACHINE = "cluster.x-k8s.io/annotations-from-machine";
export const NODE_TAINTS_FROM_MACHINE = "cluster.x-k8s.io/taints-from-machine";

/** Taints of Nodes. */
export const UNINITIALIZED_TAINT = { key: "node.cluster.x-k8s.io/uninitialized", effect: "NoSchedule" } as const;
export const OUTDATED_REVISION_TAINT = { key: "node.cluster.x-k8s.io/outdated-revision", effect: "PreferNoSchedule" } as const;

/** Finalizers. */
export const CLUSTER_FINALIZER = "cluster.cluster.x-k8s.io";
export const MACHINE_FINALIZER = "machine.cluster.x-k8s.io";
export const MACHINE_SET_FINALIZER = "cluster.x-k8s.io/machineset";
export const MACHINE_DEPLOYMENT_FINALIZER = "cluster.x-k8s.io/machinedeployment";
export const RESOURCE_SET_FINALIZER = "addons.cluster.x-k8s.io";

/** Type of the Secrets that belong to a Cluster. */
export const CLUSTER_SECRET = "cluster.x-k8s.io/secret";

/** Label of a CRD that names, for a contract, the versions that keep it: `v1beta1_v1beta2`. */
export const CONTRACTS = ["cluster.x-k8s.io/v1beta2", "cluster.x-k8s.io/v1beta1"] as const;

/** A name as the value of a label: itself, or, where it is too long for one, a hash (FNV-1a, 32 bits) as Cluster API writes it. */
export function labelValueOf(name: string): string {
  if (name.length <= 63) return name;
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const bytes = String.fromCharCode(hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff);
  return `hash_${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}_z`;
}
