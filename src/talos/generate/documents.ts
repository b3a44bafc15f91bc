/** The documents beside the v1alpha1 one: those of 1.12 and 1.13, and the many that 1.14 takes it apart into (facts §5.5, §5.6). */
import type { JsonObject } from "#std/json.ts";
import { encodePem } from "../secrets.ts";
import type { Inputs } from "./options.ts";
import { auditPolicy, authentication, CONTROL_PLANE, imageOf, OFF_LOAD_BALANCERS, podSecurity } from "./policy.ts";

function document(kind: string, fields: JsonObject): JsonObject {
  return { apiVersion: "v1alpha1", kind, ...fields };
}

/** Contracts 1.12 and 1.13. */
export function hostDocuments(inputs: Inputs): JsonObject[] {
  return [
    ...registryDocuments(inputs),
    document("HostnameConfig", { auto: "stable" }),
    ...(inputs.kubeSpan === true && inputs.contract.minor >= 13 ? [document("KubeSpanConfig", { enabled: true })] : []),
  ];
}

function registryDocuments({ registryMirrors = {} }: Inputs): JsonObject[] {
  return Object.entries(registryMirrors).map(([name, endpoints]) =>
    document("RegistryMirrorConfig", { name, endpoints: endpoints.map((url) => ({ url })) }),
  );
}

/** What is left of the v1alpha1 document from 1.14 on. */
export function reducedV1alpha1(inputs: Inputs): JsonObject {
  const { secrets, isControlPlane } = inputs;
  const { os, etcd } = secrets.certs;
  return {
    version: "v1alpha1",
    debug: inputs.debug ?? false,
    persist: inputs.persist ?? true,
    machine: {
      type: inputs.type,
      token: secrets.trustdToken,
      ca: { crt: encodePem(os.certificate), key: isControlPlane ? encodePem(os.key) : "" },
      certSANs: [...inputs.additionalSans],
      features: { diskQuotaSupport: true },
    },
    cluster: {
      token: secrets.bootstrapToken,
      ...(isControlPlane ? { etcd: { ca: { crt: encodePem(etcd.certificate), key: encodePem(etcd.key) } } } : {}),
    },
  };
}

/** From 1.14 on, in the order of emission. */
export function separateDocuments(inputs: Inputs): JsonObject[] {
  return [...machineDocuments(inputs), ...hostDocuments(inputs), ...kubernetesDocuments(inputs)];
}

function machineDocuments(inputs: Inputs): JsonObject[] {
  const { cluster } = inputs.secrets;
  const { sysctls = {} } = inputs;
  return [
    ...(inputs.discovery
      ? [document("DiscoveryServiceConfig", { name: "default", endpoint: "https://discovery.talos.dev/" })]
      : []),
    // Bundles of old clusters have none.
    ...(cluster.secret === ""
      ? []
      : [document("DiscoveryIdentityConfig", { clusterID: cluster.id, clusterSecret: cluster.secret })]),
    ...installDocuments(inputs),
    document("ResolverConfig", { hostDNS: { enabled: true, forwardKubeDNSToHost: true } }),
    ...(Object.keys(sysctls).length > 0 ? [document("SysctlConfig", { params: { ...sysctls } })] : []),
    document("VolumeConfig", { name: "EPHEMERAL", mount: { secure: true } }),
    document("FilesystemTrimConfig", { interval: "168h0m0s" }),
    document("SecurityProfileConfig", { workloadIsolation: true }),
  ];
}

function installDocuments({ installDisk, installImage }: Inputs): JsonObject[] {
  if (installDisk === undefined) return [];
  const provisioning = { diskSelector: { match: `disk.dev_path == ${JSON.stringify(installDisk)}` }, wipe: false };
  const installer = installImage === undefined ? {} : { image: installImage };
  return [document("UnattendedInstallConfig", { installer, provisioning })];
}

/** Certificates stand in these as they are, not in base64. */
function kubernetesDocuments(inputs: Inputs): JsonObject[] {
  const { isControlPlane, kubernetesVersion } = inputs;
  const { k8s } = inputs.secrets.certs;
  return [
    document("KubeClusterConfig", { clusterName: inputs.clusterName, endpoint: inputs.endpoint }),
    document("KubeNodeConfig", { nodeIP: {}, ...(isControlPlane ? controlPlaneNode(inputs) : {}) }),
    document("KubeletConfig", {
      image: imageOf("kubelet", kubernetesVersion),
      config: {},
      defaultRuntimeSeccompProfileEnabled: true,
    }),
    document("KubeNetworkConfig", {
      dnsDomain: inputs.dnsDomain,
      podSubnets: [...inputs.podSubnets],
      serviceSubnets: [...inputs.serviceSubnets],
    }),
    document(
      "KubeAPIServerCAConfig",
      isControlPlane ? { issuingCA: { cert: k8s.certificate, key: k8s.key } } : { acceptedCAs: [k8s.certificate] },
    ),
    document("KubePrismConfig", { port: 7445 }),
    ...(isControlPlane ? controlPlaneDocuments(inputs) : []),
  ];
}

function controlPlaneNode({ allowSchedulingOnControlPlanes }: Inputs): JsonObject {
  return {
    labels: { [CONTROL_PLANE]: "", [OFF_LOAD_BALANCERS]: "" },
    ...(allowSchedulingOnControlPlanes === true ? {} : { taints: { [CONTROL_PLANE]: "NoSchedule" } }),
  };
}

function controlPlaneDocuments(inputs: Inputs): JsonObject[] {
  const { kubernetesVersion: version, additionalSans, localApiServerPort } = inputs;
  const { k8sAggregator, k8sServiceAccountKey } = inputs.secrets.certs;
  return [
    document("KubeAggregatorCAConfig", { issuingCA: { cert: k8sAggregator.certificate, key: k8sAggregator.key } }),
    document("KubeAdmissionControlConfig", { name: "PodSecurity", configuration: podSecurity() }),
    document("KubeAuditPolicyConfig", { configuration: auditPolicy() }),
    document("KubeAuthenticationConfig", { configuration: authentication() }),
    document("KubeAuthorizerConfig", { name: "node", type: "Node" }),
    document("KubeAuthorizerConfig", { name: "rbac", type: "RBAC" }),
    document("KubeEtcdEncryptionConfig", { config: etcdEncryption(inputs) }),
    document("KubeServiceAccountConfig", { issuer: { privateKey: k8sServiceAccountKey, issuerURL: inputs.endpoint } }),
    document("KubeAPIServerConfig", {
      image: imageOf("kube-apiserver", version),
      ...(localApiServerPort === undefined ? {} : { apiPort: localApiServerPort }),
      ...(additionalSans.length > 0 ? { certExtraSANs: [...additionalSans] } : {}),
    }),
    document("KubeControllerManagerConfig", { image: imageOf("kube-controller-manager", version) }),
    document("KubeSchedulerConfig", { image: imageOf("kube-scheduler", version), config: {} }),
    document("KubeProxyConfig", { image: imageOf("kube-proxy", version), config: {} }),
    ...(inputs.cniUrl === undefined ? [document("KubeFlannelCNIConfig", { backendType: "vxlan", backendPort: 4789 })] : []),
    document("KubeCoreDNSConfig", { enabled: true }),
    ...(inputs.cniUrl === undefined ? [] : [document("KubeExternalManifestConfig", { name: "custom-cni", url: inputs.cniUrl })]),
  ];
}

/** The names of the keys are those of older Talos: what it encrypted must stay readable. */
function etcdEncryption({ secrets: { secretboxEncryptionSecret, aescbcEncryptionSecret } }: Inputs): JsonObject {
  const provider: JsonObject =
    secretboxEncryptionSecret === undefined
      ? { aescbc: { keys: [{ name: "key1", secret: aescbcEncryptionSecret ?? "" }] } }
      : { secretbox: { keys: [{ name: "key2", secret: secretboxEncryptionSecret }] } };
  return { resources: [{ providers: [provider], resources: ["secrets"] }] };
}
