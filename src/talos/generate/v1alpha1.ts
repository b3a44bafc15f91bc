/** The v1alpha1 document up to contract 1.13, keys in the order in which Talos emits them (facts §5.4, §5.5). */
import type { Json, JsonObject } from "#std/json.ts";
import type { KeyPair } from "../pki.ts";
import { encodePem } from "../secrets.ts";
import type { Inputs } from "./options.ts";
import { auditPolicy, imageOf, OFF_LOAD_BALANCERS, podSecurity } from "./policy.ts";

export function v1alpha1(inputs: Inputs): JsonObject {
  return {
    version: "v1alpha1",
    debug: inputs.debug ?? false,
    persist: inputs.persist ?? true,
    machine: machine(inputs),
    cluster: cluster(inputs),
  };
}

function machine(inputs: Inputs): JsonObject {
  const { contract, secrets, type, isControlPlane, sysctls = {} } = inputs;
  return {
    type,
    token: secrets.trustdToken,
    ca: authority(secrets.certs.os, isControlPlane),
    certSANs: [...inputs.additionalSans],
    kubelet: {
      image: imageOf("kubelet", inputs.kubernetesVersion),
      defaultRuntimeSeccompProfileEnabled: true,
      disableManifestsDirectory: true,
    },
    ...(contract.minor <= 12 ? { network: network(inputs) } : {}),
    install: install(inputs),
    ...(Object.keys(sysctls).length > 0 ? { sysctls: { ...sysctls } } : {}),
    ...(contract.minor <= 11 ? registries(inputs) : {}),
    features: features(inputs),
    ...(isControlPlane && contract.minor >= 8 ? { nodeLabels: { [OFF_LOAD_BALANCERS]: "" } } : {}),
  };
}

/** Workers get no key, and say so. */
function authority(pair: KeyPair, withKey: boolean): JsonObject {
  return { crt: encodePem(pair.certificate), key: withKey ? encodePem(pair.key) : "" };
}

function network({ kubeSpan }: Inputs): JsonObject {
  return kubeSpan === true ? { kubespan: { enabled: true } } : {};
}

function install({ contract, installDisk, installImage, extraKernelArgs = [] }: Inputs): JsonObject {
  const args = extraKernelArgs.length > 0;
  return {
    ...(installDisk === undefined ? {} : { disk: installDisk }),
    ...(args ? { extraKernelArgs: [...extraKernelArgs] } : {}),
    ...(installImage === undefined ? {} : { image: installImage }),
    wipe: false,
    // The arguments of the image, or arguments of one's own: Talos takes no configuration with both.
    ...(contract.minor >= 12 && !args ? { grubUseUKICmdline: true } : {}),
  };
}

function registries({ registryMirrors = {} }: Inputs): JsonObject {
  const mirrors = Object.entries(registryMirrors).map(([name, endpoints]) => [name, { endpoints: [...endpoints] }]);
  return mirrors.length === 0 ? {} : { registries: { mirrors: Object.fromEntries(mirrors) as JsonObject } };
}

function features({ contract: { minor } }: Inputs): JsonObject {
  return {
    ...(minor <= 11 ? { rbac: true, stableHostname: true, apidCheckExtKeyUsage: true } : {}),
    ...(minor >= 5 ? { diskQuotaSupport: true } : {}),
    ...(minor >= 6 ? { kubePrism: { enabled: true, port: 7445 } } : {}),
    ...(minor >= 7 ? { hostDNS: { enabled: true, ...(minor >= 8 ? { forwardKubeDNSToHost: true } : {}) } } : {}),
  };
}

function cluster(inputs: Inputs): JsonObject {
  const { contract, secrets, isControlPlane, localApiServerPort } = inputs;
  return {
    // Bundles of old clusters have none.
    ...(secrets.cluster.secret === "" ? {} : { id: secrets.cluster.id, secret: secrets.cluster.secret }),
    controlPlane: {
      endpoint: inputs.endpoint,
      ...(!isControlPlane || localApiServerPort === undefined ? {} : { localAPIServerPort: localApiServerPort }),
    },
    ...(isControlPlane || contract.minor >= 8 ? { clusterName: inputs.clusterName } : {}),
    network: {
      ...(inputs.cniUrl === undefined ? {} : { cni: { name: "custom", urls: [inputs.cniUrl] } }),
      dnsDomain: inputs.dnsDomain,
      podSubnets: [...inputs.podSubnets],
      serviceSubnets: [...inputs.serviceSubnets],
    },
    token: secrets.bootstrapToken,
    ...(isControlPlane ? encryption(inputs) : {}),
    ca: authority(secrets.certs.k8s, isControlPlane),
    ...(isControlPlane ? controlPlane(inputs) : {}),
    discovery: { enabled: inputs.discovery, registries: { kubernetes: { disabled: true }, service: {} } },
    ...(isControlPlane ? { etcd: { ca: authority(secrets.certs.etcd, true) } } : {}),
    ...(isControlPlane && inputs.allowSchedulingOnControlPlanes === true ? { allowSchedulingOnControlPlanes: true } : {}),
  };
}

function encryption({ secrets: { secretboxEncryptionSecret, aescbcEncryptionSecret } }: Inputs): JsonObject {
  if (secretboxEncryptionSecret !== undefined) return { secretboxEncryptionSecret };
  return aescbcEncryptionSecret === undefined ? {} : { aescbcEncryptionSecret };
}

function controlPlane(inputs: Inputs): JsonObject {
  const { contract, secrets, kubernetesVersion } = inputs;
  const names = [...(contract.minor <= 11 ? [inputs.host] : []), ...inputs.additionalSans];
  const apiServer: Record<string, Json> = { image: imageOf("kube-apiserver", kubernetesVersion) };
  if (names.length > 0) apiServer["certSANs"] = names;
  if (contract.minor <= 11) apiServer["disablePodSecurityPolicy"] = true;
  apiServer["admissionControl"] = [{ name: "PodSecurity", configuration: podSecurity() }];
  apiServer["auditPolicy"] = auditPolicy();
  return {
    aggregatorCA: authority(secrets.certs.k8sAggregator, true),
    serviceAccount: { key: encodePem(secrets.certs.k8sServiceAccountKey) },
    apiServer,
    controllerManager: { image: imageOf("kube-controller-manager", kubernetesVersion) },
    proxy: { image: imageOf("kube-proxy", kubernetesVersion) },
    scheduler: { image: imageOf("kube-scheduler", kubernetesVersion) },
  };
}
