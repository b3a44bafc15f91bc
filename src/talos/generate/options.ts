/** What a configuration is generated from (facts §5.3). */
import { parseIpv6 } from "#std/address.ts";
import type { Contract } from "../contract.ts";
import { kubernetesOf } from "../contract.ts";
import { refusal } from "../fault.ts";
import type { Secrets } from "../secrets.ts";

export type MachineType = "init" | "controlplane" | "worker";

export interface GenerateOptions {
  readonly clusterName: string;
  /** `https://host:port` of the Kubernetes API. */
  readonly endpoint: string;
  readonly contract: Contract;
  readonly secrets: Secrets;
  /** Without `v`; otherwise the newest that this Talos is released with. */
  readonly kubernetesVersion?: string;
  /** Names and addresses for the certificates of Talos' and Kubernetes' APIs. */
  readonly additionalSans?: readonly string[];
  readonly installDisk?: string;
  readonly installImage?: string;
  readonly extraKernelArgs?: readonly string[];
  readonly dnsDomain?: string;
  readonly podSubnets?: readonly string[];
  readonly serviceSubnets?: readonly string[];
  /** A manifest in place of Flannel. */
  readonly cniUrl?: string;
  readonly allowSchedulingOnControlPlanes?: boolean;
  readonly localApiServerPort?: number;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Registry → where it is mirrored. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
  /** On unless it is said to be off; never without an identity of the cluster, whose key members find each other with. */
  readonly discovery?: boolean;
  readonly kubeSpan?: boolean;
  readonly persist?: boolean;
  readonly debug?: boolean;
}

/** The options with every default in its place. */
export interface Inputs extends GenerateOptions {
  readonly type: MachineType;
  readonly isControlPlane: boolean;
  readonly host: string;
  readonly kubernetesVersion: string;
  readonly additionalSans: readonly string[];
  readonly dnsDomain: string;
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
  readonly discovery: boolean;
}

/** `join` is an old name of workers, as is nothing. Throws Fault `talos.options`. */
export function parseMachineType(text: string): MachineType {
  if (text === "worker" || text === "join" || text === "") return "worker";
  if (text === "init" || text === "controlplane") return text;
  throw refusal("talos.options", "a machine is one of init, controlplane, worker");
}

export function inputsOf(type: MachineType, options: GenerateOptions): Inputs {
  const host = hostOf(options.endpoint);
  // Only an endpoint that is a bare address makes a cluster of IPv6, as in talosctl.
  const isV6 = parseIpv6(options.endpoint) !== undefined;
  if (options.clusterName === "") throw refusal("talos.options", "a cluster needs a name");
  const version = (options.kubernetesVersion ?? "").replace(/^v/, "");
  return {
    ...options,
    type,
    isControlPlane: type !== "worker",
    host,
    kubernetesVersion: version === "" ? kubernetesOf(options.contract) : version,
    additionalSans: options.additionalSans ?? [],
    dnsDomain: options.dnsDomain || "cluster.local",
    podSubnets: filled(options.podSubnets, isV6 ? "fc00:db8:10::/56" : "10.244.0.0/16"),
    serviceSubnets: filled(options.serviceSubnets, isV6 ? "fc00:db8:20::/112" : "10.96.0.0/12"),
    discovery: (options.discovery ?? true) && options.secrets.cluster.secret !== "",
  };
}

function filled(subnets: readonly string[] | undefined, standard: string): readonly string[] {
  return subnets === undefined || subnets.length === 0 ? [standard] : subnets;
}

/** Throws Fault `talos.options` for an endpoint that is no URL. */
export function hostOf(endpoint: string): string {
  if (parseIpv6(endpoint) !== undefined) return endpoint;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || url.protocol !== "https:" || url.hostname === "")
    throw refusal("talos.options", "the endpoint is a URL like https://10.0.0.1:6443");
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Of the image factory: a Talos without any customization. */
const PLAIN_SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";

/** The installer that a version of Talos is released with. */
export function defaultInstaller({ minor, tag }: Contract): string {
  return minor <= 13 ? `ghcr.io/siderolabs/installer:${tag}` : `factory.talos.dev/metal-installer/${PLAIN_SCHEMATIC}:${tag}`;
}
