/** core/v1 Node. */
import type { KubeObject } from "#schema/meta.ts";
import { AGE } from "./column.ts";
import { define, zeroOf } from "./define.ts";
import type { FieldOptions, GoFields } from "./go.ts";
import { bool, field, int32, int64, list, map, mergedBy, quantity, struct, text, time } from "./go.ts";

/** Every field may be absent: columns are also rendered from foreign objects. */
interface Node extends KubeObject {
  spec?: { unschedulable?: boolean };
  status?: {
    conditions?: { type: string; status: string }[];
    addresses?: { type: string; address: string }[];
  };
}

const given = { always: true, required: true } as const;
const atomic = { schema: { "x-kubernetes-list-type": "atomic" } } as const;
const byType: FieldOptions = {
  schema: { ...mergedBy("type"), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
};

const configSource = struct("NodeConfigSource", {
  configMap: field(
    struct("ConfigMapNodeConfigSource", {
      namespace: field(text(), "Namespace of the ConfigMap.", given),
      name: field(text(), "Name of the ConfigMap.", given),
      uid: field(text("types.UID"), "Identity of the ConfigMap; status only."),
      resourceVersion: field(text(), "Version of the ConfigMap; status only."),
      kubeletConfigKey: field(text(), "The entry that holds the configuration.", given),
    }),
    "A ConfigMap.",
    { pointer: true },
  ),
});

const taint = struct("Taint", {
  key: field(text(), "What the taint is called.", given),
  value: field(text(), "Its value."),
  effect: field(text("v1.TaintEffect"), "NoSchedule, PreferNoSchedule or NoExecute.", given),
  timeAdded: field(time(), "When it was added.", { pointer: true }),
});

const spec = struct("NodeSpec", {
  podCIDR: field(text(), "Addresses for the node's pods."),
  podCIDRs: field(list(text()), "Addresses for the node's pods, one range per family.", {
    schema: { "x-kubernetes-patch-strategy": "merge", "x-kubernetes-list-type": "set" },
  }),
  providerID: field(text(), "The machine behind the node, as its provider names it: `sidero://<uuid>`."),
  unschedulable: field(bool(), "True: no new pods, as after `kubectl cordon`."),
  taints: field(list(taint), "What pods must tolerate to be here.", atomic),
  configSource: field(configSource, "No longer used.", { pointer: true }),
  externalID: field(text(), "No longer used."),
});

const condition = struct("NodeCondition", {
  type: field(text("v1.NodeConditionType"), "What the condition is about: Ready, DiskPressure…", given),
  status: field(text("v1.ConditionStatus"), "True, False or Unknown.", given),
  lastHeartbeatTime: field(time(), "When it was last reported.", { always: true }),
  lastTransitionTime: field(time(), "When the status last changed.", { always: true }),
  reason: field(text(), "A word that says why, for programs."),
  message: field(text(), "A sentence that says why, for people."),
});

const address = struct("NodeAddress", {
  type: field(text("v1.NodeAddressType"), "Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.", given),
  address: field(text(), "The address or name.", given),
});

const systemInfo = struct("NodeSystemInfo", {
  machineID: field(text(), "/etc/machine-id.", given),
  systemUUID: field(text(), "The machine's SMBIOS UUID.", given),
  bootID: field(text(), "Changes with every boot.", given),
  kernelVersion: field(text(), "`uname -r`.", given),
  osImage: field(text(), "The operating system's name for people.", given),
  containerRuntimeVersion: field(text(), "Container runtime and its version.", given),
  kubeletVersion: field(text(), "Version of the kubelet.", given),
  kubeProxyVersion: field(text(), "No longer used.", given),
  operatingSystem: field(text(), "`linux`.", given),
  architecture: field(text(), "`amd64`, `arm64`…", given),
  swap: field(struct("NodeSwapStatus", { capacity: field(int64(), "Bytes of swap.", { pointer: true }) }), "Swap memory.", {
    pointer: true,
  }),
});

const daemonEndpoints = struct("NodeDaemonEndpoints", {
  kubeletEndpoint: field(struct("DaemonEndpoint", { Port: field(int32(), "TCP port.", given) }), "Where the kubelet listens."),
});

const image = struct("ContainerImage", {
  names: field(list(text()), "What the image is called.", { ...atomic, always: true }),
  sizeBytes: field(int64(), "Its size."),
});

const attachedVolume = struct("AttachedVolume", {
  name: field(text("v1.UniqueVolumeName"), "What the volume is called.", given),
  devicePath: field(text(), "Where it is attached.", given),
});

const configStatus = struct("NodeConfigStatus", {
  assigned: field(configSource, "No longer used.", { pointer: true }),
  active: field(configSource, "No longer used.", { pointer: true }),
  lastKnownGood: field(configSource, "No longer used.", { pointer: true }),
  error: field(text(), "No longer used."),
});

const runtimeHandler = struct("NodeRuntimeHandler", {
  name: field(text(), "What the handler is called; empty for the default one.", { always: true }),
  features: field(
    struct("NodeRuntimeHandlerFeatures", {
      recursiveReadOnlyMounts: field(bool(), "Mounts can be read-only all the way down.", { pointer: true }),
      userNamespaces: field(bool(), "Pods can have user namespaces.", { pointer: true }),
    }),
    "What the handler can do.",
    { pointer: true },
  ),
});

const features = struct("NodeFeatures", {
  supplementalGroupsPolicy: field(bool(), "The runtime honours SupplementalGroupsPolicy.", { pointer: true }),
});

const resources = map(quantity(), "v1.ResourceList");

const status = struct("NodeStatus", {
  capacity: field(resources, "What the machine has."),
  allocatable: field(resources, "What is left for pods."),
  phase: field(text("v1.NodePhase"), "No longer used."),
  conditions: field(list(condition), "How the node is, point by point.", byType),
  addresses: field(list(address), "How to reach the node.", byType),
  daemonEndpoints: field(daemonEndpoints, "Where the node's programs listen."),
  nodeInfo: field(systemInfo, "What the node is and runs."),
  images: field(list(image), "Container images on the node.", atomic),
  volumesInUse: field(list(text("v1.UniqueVolumeName")), "Volumes that are mounted.", atomic),
  volumesAttached: field(list(attachedVolume), "Volumes that are attached.", atomic),
  config: field(configStatus, "No longer used.", { pointer: true }),
  runtimeHandlers: field(list(runtimeHandler), "The container runtime's handlers.", atomic),
  features: field(features, "What the runtime can do.", { pointer: true }),
  declaredFeatures: field(list(text()), "Features the kubelet declares.", atomic),
});

const fields: GoFields = {
  spec: field(spec, "What is wanted of the node."),
  status: field(status, "How the node is, as its kubelet reports."),
};

const ROLE_PREFIX = "node-role.kubernetes.io/";

function roles({ metadata }: KubeObject): string {
  const labels = metadata.labels ?? {};
  const named = Object.keys(labels).flatMap((key) => {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) return [key.slice(ROLE_PREFIX.length)];
    return key === "kubernetes.io/role" && labels[key] !== "" ? [labels[key]!] : [];
  });
  return named.length === 0 ? "<none>" : [...new Set(named)].toSorted().join(",");
}

function readiness({ spec: wanted, status: reported }: Node): string {
  const ready = reported?.conditions?.find((item) => item.type === "Ready");
  const text = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return wanted?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function addressOf({ status: reported }: Node, type: string): string {
  return reported?.addresses?.find((item) => item.type === type)?.address ?? "<none>";
}

function info(name: string, about: string, property: string) {
  return { name, type: "string", priority: 1, description: about, jsonPath: `.status.nodeInfo.${property}` } as const;
}

export const node = define({
  group: "",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  namespaced: false,
  doc: "A machine that is part of a cluster.",
  fields,
  columns: [
    { name: "Status", type: "string", description: "Whether the node is ready.", jsonPath: ".status.conditions" },
    { name: "Roles", type: "string", description: "What the node is for.", jsonPath: ".metadata.labels" },
    AGE,
    { name: "Version", type: "string", description: "Version of the kubelet.", jsonPath: ".status.nodeInfo.kubeletVersion" },
    { name: "Internal-IP", type: "string", priority: 1, description: "Address inside.", jsonPath: ".status.addresses" },
    { name: "External-IP", type: "string", priority: 1, description: "Address outside.", jsonPath: ".status.addresses" },
    info("OS-Image", "The operating system.", "osImage"),
    info("Kernel-Version", "The kernel.", "kernelVersion"),
    info("Container-Runtime", "The container runtime.", "containerRuntimeVersion"),
  ],
  hasStatus: true,
  strategy: {
    prepareCreate(object) {
      object["status"] = zeroOf(fields, "status");
    },
    fields: (object) => ({ "spec.unschedulable": String((object as Node).spec?.unschedulable === true) }),
    cells: {
      Status: (object) => readiness(object),
      Roles: roles,
      "Internal-IP": (object) => addressOf(object, "InternalIP"),
      "External-IP": (object) => addressOf(object, "ExternalIP"),
    },
  },
});
