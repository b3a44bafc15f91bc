/** What a simulated Talos takes from its configuration: that of 1.13 and before, and the documents of 1.14 (facts §5.4, §5.6). */
import { at, v1alpha1Of } from "#talos/document/document.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { decodePem } from "#talos/secrets-text.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";

/** PEM; a worker has no keys. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

export interface MachineFacts {
  readonly isControlPlane: boolean;
  /** `init` bootstraps etcd on its own. */
  readonly isInit: boolean;
  /** Of the installer; undefined: it is not to be installed. */
  readonly installer: string | undefined;
  /** `/dev/sda`; undefined: whatever a selector finds. */
  readonly disk: string | undefined;
  readonly hostname: string | undefined;
  /** For trustd. */
  readonly token: string;
  readonly os: Authority;
  readonly clusterName: string;
  /** `https://host:port`. */
  readonly endpoint: string;
  readonly bootstrapToken: string;
  readonly kubernetes: Authority;
  /** PEM. */
  readonly etcd: string;
  readonly kubelet: {
    readonly image: string;
    readonly extraArgs: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    /** `value:effect`, or an effect alone. */
    readonly taints: Readonly<Record<string, string>>;
  };
}

const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

/** Undefined: a partial one, without a machine. Throws what Talos would say of one that it does not take. */
export function readFacts(text: string): MachineFacts | undefined {
  const config = parseConfig(text);
  const main = v1alpha1Of(config)?.value;
  if (main === undefined || !isObject(own(main, "machine"))) return undefined;
  const { errors } = validateConfig(config, { mode: "metal" });
  if (errors.length > 0) throw new Error(`the configuration is not valid: ${errors.join("; ")}`);
  const facts = factsOf(config, main);
  const wrong = Object.entries(facts.kubelet.labels).find(([key, value]) => !LABEL_KEY.test(key) || !LABEL_VALUE.test(value));
  if (wrong !== undefined) throw new Error(`the configuration is not valid: "${wrong[0]}" is no label with a value of labels`);
  return facts;
}

/** As Kubernetes has them, which Talos asks for. */
const LABEL_KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

function factsOf(config: MachineConfig, main: JsonObject): MachineFacts {
  const of = (kind: string): JsonObject => config.documents.find(({ identity }) => identity.kind === kind)?.value ?? {};
  const type = text(at(main, "machine", "type"));
  const isControlPlane = type === "controlplane" || type === "init";
  const isLegacy = isObject(at(main, "cluster", "controlPlane"));
  const isMarked = isLegacy && isControlPlane;
  const mayBeScheduled = at(main, "cluster", "allowSchedulingOnControlPlanes") === true;
  const kubernetesCa = of("KubeAPIServerCAConfig");
  return {
    isControlPlane,
    isInit: type === "init",
    installer:
      text(at(main, "machine", "install", "image")) ||
      text(at(of("UnattendedInstallConfig"), "installer", "image")) ||
      (isObject(at(main, "machine", "install")) ? "installer" : undefined),
    disk:
      text(at(main, "machine", "install", "disk")) ||
      /^disk\.dev_path == "([^"]+)"$/.exec(text(at(of("UnattendedInstallConfig"), "provisioning", "diskSelector", "match")))?.[1],
    hostname: text(at(main, "machine", "network", "hostname")) || text(own(of("HostnameConfig"), "hostname")) || undefined,
    token: text(at(main, "machine", "token")),
    os: authority(at(main, "machine", "ca")),
    clusterName: text(at(main, "cluster", "clusterName")) || text(own(of("KubeClusterConfig"), "clusterName")),
    endpoint: text(at(main, "cluster", "controlPlane", "endpoint")) || text(own(of("KubeClusterConfig"), "endpoint")),
    bootstrapToken: text(at(main, "cluster", "token")),
    kubernetes: isLegacy ? authority(at(main, "cluster", "ca")) : documentAuthority(kubernetesCa),
    etcd: authority(at(main, "cluster", "etcd", "ca")).certificate,
    kubelet: {
      image: text(at(main, "machine", "kubelet", "image")) || text(own(of("KubeletConfig"), "image")),
      extraArgs: record(at(main, "machine", "kubelet", "extraArgs") ?? own(of("KubeletConfig"), "extraArgs")),
      labels: {
        ...(isMarked ? { [CONTROL_PLANE]: "" } : {}),
        ...record(at(main, "machine", "nodeLabels")),
        ...record(own(of("KubeNodeConfig"), "labels")),
      },
      taints: {
        ...(isMarked && !mayBeScheduled ? { [CONTROL_PLANE]: "NoSchedule" } : {}),
        ...record(at(main, "machine", "nodeTaints")),
        ...record(own(of("KubeNodeConfig"), "taints")),
      },
    },
  };
}

/** `v1.13.2` of `ghcr.io/siderolabs/installer:v1.13.2`; undefined without a tag that is a version. */
export function versionOf(image: string): string | undefined {
  return /:(v\d+\.\d+\.\d+[\w.-]*)(?:@|$)/.exec(image)?.[1];
}

function authority(value: Json | undefined): Authority {
  const pem = (key: string): string => (isObject(value) ? (decodePem(text(own(value, key))) ?? "") : "");
  return { certificate: pem("crt"), key: pem("key") };
}

/** Certificates stand in documents as they are. */
function documentAuthority(value: JsonObject): Authority {
  const accepted = own(value, "acceptedCAs");
  const first = Array.isArray(accepted) ? text(accepted[0]) : "";
  return { certificate: text(at(value, "issuingCA", "cert")) || first, key: text(at(value, "issuingCA", "key")) };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** An argument may be given several times: the last one counts here. */
function record(value: Json | undefined): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const last = Array.isArray(each) ? each.at(-1) : each;
      return typeof last === "string" ? [[key, last]] : [];
    }),
  );
}
