/** The objects that make a cluster: generated from a few options, or read from a template of clusterctl's. */
import { parseAllDocuments, stringify } from "yaml";
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import type { JsonObject } from "#std/json.ts";
import { kubernetesOf, parseContract } from "#talos/contract.ts";
import { defaultInstaller } from "#talos/generate/options.ts";

export interface ClusterOptions {
  readonly name: string;
  readonly namespace: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly controlPlanes: number;
  readonly workers: number;
  /** ServerClasses. */
  readonly controlPlaneClass: string;
  readonly workerClass: string;
  /** Such as v1.13 or v1.13.4; empty: the newest one known. */
  readonly talosVersion: string;
  /** Empty: what that Talos is released with. */
  readonly kubernetesVersion: string;
  /** Empty: where Talos is installed is patched in by Servers and classes. */
  readonly installDisk: string;
  /** Interface on which control plane machines hold the endpoint among them; empty: it is somebody else's business. */
  readonly vipLink: string;
}

const INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io";
const CONTROL_PLANE = "controlplane.cluster.x-k8s.io";
const BOOTSTRAP = "bootstrap.cluster.x-k8s.io";
const CORE = "cluster.x-k8s.io";
/** Fewer can lose none, so there the new one has to come first. */
const FEWEST_WITHOUT_SURGE = 3;

/** In the order in which they are made. Throws Fault `talos.options` for versions that are none. */
export function clusterObjects(options: ClusterOptions): KubeObject[] {
  const { name, endpoint, controlPlanes } = options;
  const contract = parseContract(options.talosVersion);
  const talosVersion = options.talosVersion === "" ? `v1.${contract.minor}` : options.talosVersion;
  const version = `v${(options.kubernetesVersion || kubernetesOf(contract)).replace(/^v/, "")}`;
  const [cp, workers] = [`${name}-cp`, `${name}-workers`];
  const object = (group: string, apiVersion: string, kind: string, called: string, spec: JsonObject): KubeObject => ({
    apiVersion: `${group}/${apiVersion}`,
    kind,
    metadata: { name: called, namespace: options.namespace },
    spec,
  });
  const machineTemplate = (called: string, serverClass: string): KubeObject => {
    const serverClassRef = { apiVersion: "metal.sidero.dev/v1alpha2", kind: "ServerClass", name: serverClass };
    return object(INFRASTRUCTURE, "v1alpha3", "MetalMachineTemplate", called, { template: { spec: { serverClassRef } } });
  };
  return [
    object(CORE, "v1beta2", "Cluster", name, {
      clusterNetwork: { pods: { cidrBlocks: ["10.244.0.0/16"] }, services: { cidrBlocks: ["10.96.0.0/12"] } },
      infrastructureRef: { apiGroup: INFRASTRUCTURE, kind: "MetalCluster", name },
      controlPlaneRef: { apiGroup: CONTROL_PLANE, kind: "TalosControlPlane", name: cp },
    }),
    object(INFRASTRUCTURE, "v1alpha3", "MetalCluster", name, { controlPlaneEndpoint: { ...endpoint } }),
    machineTemplate(cp, options.controlPlaneClass),
    object(CONTROL_PLANE, "v1alpha3", "TalosControlPlane", cp, {
      version,
      replicas: controlPlanes,
      infrastructureTemplate: { apiVersion: `${INFRASTRUCTURE}/v1alpha3`, kind: "MetalMachineTemplate", name: cp },
      controlPlaneConfig: { controlplane: { ...config("controlplane", talosVersion, options) } },
      // No server has to be spare for replacing one.
      ...(controlPlanes < FEWEST_WITHOUT_SURGE
        ? {}
        : { rolloutStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0 } } }),
    }),
    machineTemplate(workers, options.workerClass),
    object(BOOTSTRAP, "v1alpha3", "TalosConfigTemplate", workers, {
      template: { spec: config("worker", talosVersion, options) },
    }),
    object(CORE, "v1beta2", "MachineDeployment", workers, {
      clusterName: name,
      replicas: options.workers,
      selector: { matchLabels: { [`${CORE}/cluster-name`]: name, [`${CORE}/deployment-name`]: workers } },
      rollout: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
      template: {
        metadata: { labels: { [`${CORE}/cluster-name`]: name, [`${CORE}/deployment-name`]: workers } },
        spec: {
          clusterName: name,
          version,
          bootstrap: { configRef: { apiGroup: BOOTSTRAP, kind: "TalosConfigTemplate", name: workers } },
          infrastructureRef: { apiGroup: INFRASTRUCTURE, kind: "MetalMachineTemplate", name: workers },
        },
      },
    }),
  ];
}

/** The node is called like its Machine, so that people find the one by the other. */
function config(generateType: "controlplane" | "worker", talosVersion: string, options: ClusterOptions): JsonObject {
  const { installDisk, vipLink, endpoint } = options;
  const interfaces = [{ interface: vipLink, dhcp: true, vip: { ip: endpoint.host } }];
  const hasVip = generateType === "controlplane" && vipLink !== "";
  const patches = [
    ...(installDisk === "" ? [] : [installPatch(talosVersion, installDisk)]),
    ...(hasVip ? [stringify({ machine: { network: { interfaces } } })] : []),
  ];
  return {
    generateType,
    talosVersion,
    hostname: { source: "MachineName" },
    ...(patches.length === 0 ? {} : { strategicPatches: patches }),
  };
}

/** From 1.14 on it is a document of its own. */
function installPatch(talosVersion: string, disk: string): string {
  const contract = parseContract(talosVersion);
  if (contract.minor < 14) return stringify({ machine: { install: { disk } } });
  const provisioning = { diskSelector: { match: `disk.dev_path == ${JSON.stringify(disk)}` }, wipe: false };
  const installer = { image: defaultInstaller(contract) };
  return stringify({ apiVersion: "v1alpha1", kind: "UnattendedInstallConfig", installer, provisioning });
}

/** As kubectl apply takes it. */
export function printObjects(objects: readonly KubeObject[]): string {
  return objects.map((object) => stringify(object, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
}

/** Kinds that no namespace is set for. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set(["Namespace", "Server", "ServerClass", "Environment", "ServerBinding"]);

/**
 * The objects of a template whose variables have been replaced, all in `namespace`. Throws Fault `cli.usage` that names the line of what
 * is no object.
 */
export function readObjects(text: string, namespace: string): KubeObject[] {
  const objects: KubeObject[] = [];
  for (const document of parseAllDocuments(text, { version: "1.1", prettyErrors: false })) {
    const line = text.slice(0, document.range?.[0] ?? 0).split("\n").length;
    if (document.errors[0] !== undefined) throw usage(`line ${line}: not YAML: ${document.errors[0].message}`);
    const value = document.toJS({ maxAliasCount: 100 }) as unknown;
    if (value === null || value === undefined) continue;
    const { kind, apiVersion } = isObject(value) ? value : {};
    if (!isObject(value) || typeof kind !== "string" || typeof apiVersion !== "string" || !parseApiVersion(apiVersion))
      throw usage(`line ${line}: no object of Kubernetes`);
    const metadata = isObject(value["metadata"]) ? value["metadata"] : {};
    if (typeof metadata["name"] !== "string") throw usage(`line ${line}: ${kind} without metadata.name`);
    const placed = CLUSTER_SCOPED.has(kind) ? metadata : { ...metadata, namespace };
    objects.push({ ...value, metadata: placed } as unknown as KubeObject);
  }
  if (objects.length === 0) throw usage("the template has no objects");
  return objects;
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
