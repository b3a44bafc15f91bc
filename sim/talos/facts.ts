/** What both stand-ins for Talos, the simulated one and the one of the lab, take from a machine configuration: that of Talos 1.13 and before, and the many documents of 1.14 (facts §5.4, §5.6). */
import { at, v1alpha1Of } from "#talos/document/document.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { decodePem } from "#talos/secrets-text.ts";
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** PEM; a worker has none. */
  readonly key: string | undefined;
}

export interface Install {
  /** `/dev/vda`; undefined: the smallest that a selector leaves, of all disks when there is none. */
  readonly disk: string | undefined;
  readonly selector: JsonObject | undefined;
  /** Of the installer: its tag is the version that is installed. */
  readonly image: string;
  readonly wipe: boolean;
  readonly extraKernelArgs: readonly string[];
}

export interface SharedAddress {
  readonly ip: string;
  /** Undefined: whatever interface has an address. */
  readonly interface: string | undefined;
}

export interface MachineFacts {
  readonly type: string;
  readonly install: Install | undefined;
  readonly hostname: string | undefined;
  /** For trustd. */
  readonly token: string;
  readonly os: Authority;
  readonly certSans: readonly string[];
  readonly clusterName: string;
  /** `https://host:port`. */
  readonly endpoint: string;
  readonly bootstrapToken: string;
  readonly kubernetes: Authority;
  readonly etcd: Authority;
  readonly kubelet: {
    readonly image: string;
    readonly extraArgs: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    /** `key: value:effect` or `key: effect`. */
    readonly taints: Readonly<Record<string, string>>;
  };
  readonly apiServer: { readonly image: string; readonly certSans: readonly string[]; readonly port: number };
  readonly shared: readonly SharedAddress[];
  readonly allowSchedulingOnControlPlanes: boolean;
}

export function isControlPlane({ type }: MachineFacts): boolean {
  return type === "controlplane" || type === "init";
}

/** A configuration without a `machine` section is a partial one: undefined. */
export function factsOf(config: MachineConfig): MachineFacts | undefined {
  const main = v1alpha1Of(config)?.value;
  if (main === undefined || !isObject(own(main, "machine"))) return undefined;
  const of = (kind: string): JsonObject => config.documents.find(({ identity }) => identity.kind === kind)?.value ?? {};
  const node = of("KubeNodeConfig");
  const kubernetesCa = of("KubeAPIServerCAConfig");
  const controlPlane = "node-role.kubernetes.io/control-plane";
  const type = text(at(main, "machine", "type")) || "worker";
  const isLegacy = isObject(at(main, "cluster", "controlPlane"));
  const mayBeScheduled = at(main, "cluster", "allowSchedulingOnControlPlanes") === true;
  const isWorker = type === "worker" || type === "join";
  return {
    type: type === "join" ? "worker" : type,
    install: installOf(main, of("UnattendedInstallConfig")),
    hostname: text(at(main, "machine", "network", "hostname")) || text(own(of("HostnameConfig"), "hostname")) || undefined,
    token: text(at(main, "machine", "token")),
    os: authority(at(main, "machine", "ca")),
    certSans: texts(at(main, "machine", "certSANs")),
    clusterName: text(at(main, "cluster", "clusterName")) || text(own(of("KubeClusterConfig"), "clusterName")),
    endpoint: text(at(main, "cluster", "controlPlane", "endpoint")) || text(own(of("KubeClusterConfig"), "endpoint")),
    bootstrapToken: text(at(main, "cluster", "token")),
    kubernetes: isLegacy ? authority(at(main, "cluster", "ca")) : documentAuthority(kubernetesCa),
    etcd: authority(at(main, "cluster", "etcd", "ca")),
    kubelet: {
      image: text(at(main, "machine", "kubelet", "image")) || text(own(of("KubeletConfig"), "image")),
      extraArgs: record(at(main, "machine", "kubelet", "extraArgs") ?? own(of("KubeletConfig"), "extraArgs")),
      labels: {
        ...(isLegacy && !isWorker ? { [controlPlane]: "" } : {}),
        ...record(at(main, "machine", "nodeLabels")),
        ...record(own(node, "labels")),
      },
      taints: {
        ...(isLegacy && !isWorker && !mayBeScheduled ? { [controlPlane]: "NoSchedule" } : {}),
        ...record(at(main, "machine", "nodeTaints")),
        ...record(own(node, "taints")),
      },
    },
    apiServer: {
      image: text(at(main, "cluster", "apiServer", "image")) || text(own(of("KubeAPIServerConfig"), "image")),
      certSans: [
        ...texts(at(main, "cluster", "apiServer", "certSANs")),
        ...texts(own(of("KubeAPIServerConfig"), "certExtraSANs")),
      ],
      port:
        number(at(main, "cluster", "controlPlane", "localAPIServerPort") ?? own(of("KubeAPIServerConfig"), "apiPort")) ?? 6443,
    },
    shared: [...sharedOf(main), ...sharedDocuments(config)],
    allowSchedulingOnControlPlanes: mayBeScheduled,
  };
}

function installOf(main: JsonObject, unattended: JsonObject): Install | undefined {
  const install = at(main, "machine", "install");
  if (isObject(install))
    return {
      disk: text(own(install, "disk")) || undefined,
      selector: objectOf(own(install, "diskSelector")),
      image: text(own(install, "image")),
      wipe: own(install, "wipe") === true,
      extraKernelArgs: texts(own(install, "extraKernelArgs")),
    };
  if (unattended["kind"] === undefined) return undefined;
  // Of the expressions that may stand there, the one that is generated.
  const match = text(at(unattended, "provisioning", "diskSelector", "match"));
  return {
    disk: /^disk\.dev_path == "([^"]+)"$/.exec(match)?.[1],
    selector: undefined,
    image: text(at(unattended, "installer", "image")),
    wipe: at(unattended, "provisioning", "wipe") === true,
    extraKernelArgs: [],
  };
}

/** `machine.network.interfaces[].vip`. */
function sharedOf(main: JsonObject): SharedAddress[] {
  const interfaces = at(main, "machine", "network", "interfaces");
  return (Array.isArray(interfaces) ? interfaces : []).flatMap((each) => {
    const ip = isObject(each) ? text(at(each, "vip", "ip")) : "";
    return ip === "" || !isObject(each) ? [] : [{ ip, interface: text(own(each, "interface")) || undefined }];
  });
}

function sharedDocuments({ documents }: MachineConfig): SharedAddress[] {
  return documents
    .filter(({ identity }) => identity.kind === "Layer2VIPConfig")
    .map(({ value, identity }) => ({ ip: identity.name, interface: text(own(value, "link")) || undefined }));
}

/** The authority, where the machine may sign with it. */
export function pairOf({ certificate, key }: Authority): { readonly certificate: string; readonly key: string } | undefined {
  return key === undefined ? undefined : { certificate, key };
}

function authority(value: Json | undefined): Authority {
  const pem = (key: string): string => (isObject(value) ? (decodePem(text(own(value, key))) ?? "") : "");
  return { certificate: pem("crt"), key: pem("key") || undefined };
}

/** Certificates stand in documents as they are. */
function documentAuthority(value: JsonObject): Authority {
  const accepted = texts(own(value, "acceptedCAs"));
  return {
    certificate: text(at(value, "issuingCA", "cert")) || (accepted[0] ?? ""),
    key: text(at(value, "issuingCA", "key")) || undefined,
  };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
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
