/** What stands in the v1alpha1 document and in a document of its own as well: Talos takes neither then (facts §5.6). */
import type { JsonObject } from "#std/json.ts";
import { at } from "../document/document.ts";
import type { MachineConfig } from "../document/document.ts";

/** By kind, the places that the document takes over. */
const TAKEN_OVER: Readonly<Record<string, readonly string[]>> = {
  DiscoveryIdentityConfig: ["cluster.id", "cluster.secret"],
  DiscoveryServiceConfig: ["cluster.discovery"],
  UnattendedInstallConfig: ["machine.install"],
  SysctlConfig: ["machine.sysctls"],
  KernelModuleConfig: ["machine.kernel"],
  KubeSpanConfig: ["machine.network.kubespan"],
  KubeClusterConfig: ["cluster.clusterName", "cluster.controlPlane.endpoint"],
  KubeNodeConfig: [
    "machine.nodeLabels",
    "machine.nodeAnnotations",
    "machine.nodeTaints",
    "machine.kubelet.skipNodeRegistration",
    "machine.kubelet.registerWithFQDN",
    "machine.kubelet.nodeIP",
  ],
  KubeNetworkConfig: ["cluster.network"],
  KubeFlannelCNIConfig: ["cluster.network"],
  KubeAPIServerCAConfig: ["cluster.ca"],
  KubePrismConfig: ["machine.features.kubePrism"],
  KubeAggregatorCAConfig: ["cluster.aggregatorCA"],
  KubeAuditPolicyConfig: ["cluster.apiServer.auditPolicy"],
  KubeAdmissionControlConfig: ["cluster.apiServer.admissionControl"],
  KubeEtcdEncryptionConfig: ["cluster.secretboxEncryptionSecret", "cluster.aescbcEncryptionSecret"],
  KubeServiceAccountConfig: ["cluster.serviceAccount"],
  KubeControllerManagerConfig: ["cluster.controllerManager", "machine.controlPlane.controllerManager"],
};

export function conflicts({ documents }: MachineConfig, legacy: JsonObject): string[] {
  const kinds = [...new Set(documents.map(({ identity }) => identity.kind))];
  const taken = kinds.flatMap((kind) =>
    (Object.hasOwn(TAKEN_OVER, kind) ? TAKEN_OVER[kind]! : [])
      .filter((place) => isThere(legacy, place))
      .map((place) => `${place}: it is in a ${kind} as well`),
  );
  // These two documents take over only what they say.
  const hostname = documents.find(({ identity }) => identity.kind === "HostnameConfig")?.value["hostname"];
  const isNamedTwice = hostname !== undefined && isThere(legacy, "machine.network.hostname");
  const resolver = documents.find(({ identity }) => identity.kind === "ResolverConfig")?.value["hostDNS"];
  const isResolvedTwice = resolver !== undefined && isThere(legacy, "machine.features.hostDNS");
  return [
    ...taken,
    ...(isNamedTwice ? ["machine.network.hostname: it is in a HostnameConfig as well"] : []),
    ...(isResolvedTwice ? ["machine.features.hostDNS: it is in a ResolverConfig as well"] : []),
  ];
}

function isThere(legacy: JsonObject, place: string): boolean {
  return (at(legacy, ...place.split(".")) ?? null) !== null;
}
