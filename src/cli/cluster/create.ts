/** `sidero cluster create`: from a few options, or from a template of clusterctl's. */
import type { KubeObject } from "#schema/meta.ts";
import { isAlreadyExists } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { parseContract } from "#talos/contract.ts";
import type { Terminal } from "../terminal.ts";
import { clusterObjects, readObjects } from "./manifest.ts";
import type { ClusterOptions } from "./manifest.ts";
import { Kinds } from "./objects.ts";
import { shortages } from "./supply.ts";
import { substitute } from "./substitute.ts";
import type { Lookup } from "./substitute.ts";

export interface CreateFlags {
  readonly namespace: string;
  readonly endpoint?: string;
  readonly controlPlanes: string;
  readonly workers: string;
  readonly class: string;
  readonly workerClass?: string;
  readonly talosVersion: string;
  readonly kubernetesVersion: string;
  readonly installDisk: string;
  readonly vipLink: string;
  readonly from?: string;
  readonly set: readonly string[];
  readonly dryRun?: boolean;
}

export interface CreatePorts {
  /** Rejects with Fault `cli.usage` for a file that cannot be read. */
  readFile(path: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A Cluster's name is the value of a label. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * The objects that the flags ask for. `booted`: the Talos that the machines boot, where that is known. Throws Faults `cli.usage` and
 * `talos.options`.
 */
export async function objectsOf(
  name: string,
  given: CreateFlags,
  ports: CreatePorts,
  booted: string | undefined,
): Promise<KubeObject[]> {
  const said = given.talosVersion || (given.from === undefined ? "" : (ports.env["TALOS_VERSION"] ?? ""));
  const flags = { ...given, talosVersion: said || (booted ?? "") };
  if (!NAME.test(name)) throw usage(`${name}: a cluster is called by lower case letters, digits and hyphens, at most 63`);
  if (flags.from !== undefined) {
    const text = substitute(await ports.readFile(flags.from), lookupOf(name, flags, ports));
    return readObjects(text, flags.namespace);
  }
  if (flags.set.length > 0) throw usage("--set: there is no template (--from) that has variables");
  return clusterObjects(optionsOf(name, flags));
}

function optionsOf(name: string, flags: CreateFlags): ClusterOptions {
  if (flags.endpoint === undefined)
    throw usage("--endpoint: where will the API server answer? A virtual IP, a load balancer or a DNS name");
  const controlPlanes = count(flags.controlPlanes, "--control-planes");
  if (controlPlanes === 0) throw usage("--control-planes: a cluster has one at least");
  const endpoint = parseEndpoint(flags.endpoint);
  if (flags.vipLink !== "" && !/^[0-9.]+$|:/.test(endpoint.host))
    throw usage("--vip-link: the endpoint is to be held as an address, so --endpoint must be one");
  return {
    name,
    namespace: flags.namespace,
    endpoint,
    controlPlanes,
    workers: count(flags.workers, "--workers"),
    controlPlaneClass: flags.class,
    workerClass: flags.workerClass ?? flags.class,
    talosVersion: flags.talosVersion,
    kubernetesVersion: flags.kubernetesVersion,
    installDisk: flags.installDisk,
    vipLink: flags.vipLink,
  };
}

export function count(text: string, flag: string): number {
  if (!/^\d{1,5}$/.test(text)) throw usage(`${flag}: how many?`);
  return Number(text);
}

const API_PORT = 6443;

/** `host`, `host:port`, `[fd00::1]:port`, or a bare address. */
function parseEndpoint(text: string): { host: string; port: number } {
  const bare = text.replace(/^https:\/\//, "").replace(/\/$/, "");
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]]+))(?::(\d{1,5}))?$/.exec(bare) ?? [];
  const host = bracketed ?? plain ?? (/^[0-9a-fA-F:.]+$/.test(bare) ? bare : undefined);
  const port = digits === undefined ? API_PORT : Number(digits);
  if (host === undefined || host === "" || port < 1 || port > 65_535) throw usage("--endpoint is like 10.0.0.10:6443");
  return { host, port };
}

/** As clusterctl has it: what is said here first, then what flags say, then the environment. */
function lookupOf(name: string, flags: CreateFlags, { env }: CreatePorts): Lookup {
  const said = new Map<string, string>();
  for (const pair of flags.set) {
    const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([^]*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw usage("--set is like NAME=VALUE");
    said.set(key, value);
  }
  const contract = flags.talosVersion === "" ? {} : { TALOS_VERSION: flags.talosVersion };
  const endpoint = flags.endpoint === undefined ? undefined : parseEndpoint(flags.endpoint);
  const given: Record<string, string | undefined> = {
    CLUSTER_NAME: name,
    NAMESPACE: flags.namespace,
    CONTROL_PLANE_MACHINE_COUNT: env["CONTROL_PLANE_MACHINE_COUNT"] ?? flags.controlPlanes,
    WORKER_MACHINE_COUNT: env["WORKER_MACHINE_COUNT"] ?? flags.workers,
    CONTROL_PLANE_SERVERCLASS: env["CONTROL_PLANE_SERVERCLASS"] ?? flags.class,
    WORKER_SERVERCLASS: env["WORKER_SERVERCLASS"] ?? flags.workerClass ?? flags.class,
    ...contract,
    ...(flags.kubernetesVersion === "" ? {} : { KUBERNETES_VERSION: flags.kubernetesVersion }),
    ...(endpoint === undefined ? {} : { CONTROL_PLANE_ENDPOINT: endpoint.host, CONTROL_PLANE_PORT: String(endpoint.port) }),
  };
  return (variable) => said.get(variable) ?? given[variable] ?? env[variable];
}

/** What should be looked at before machines boot into it; undefined: nothing. */
export function mismatch(talosVersion: string, booted: string | undefined): string | undefined {
  if (talosVersion === "" || booted === undefined || parseContract(talosVersion).minor === parseContract(booted).minor)
    return undefined;
  return `machines boot Talos ${booted}, and are configured for ${talosVersion}: they may refuse that`;
}

/**
 * Makes the objects, after the server has said of each that it would take it: nothing is left half made by a mistake. Rejects with the
 * faults of the API, and `cli.usage` when there is one of the name.
 */
export async function create(objects: readonly KubeObject[], { client, print, style }: Terminal): Promise<void> {
  const kinds = new Kinds(client);
  const resources = await Promise.all(objects.map(async (object) => ({ object, resource: await kinds.resource(object) })));
  for (const { object, resource } of resources) {
    try {
      await resource.create(object, { dryRun: true, fieldValidation: "Strict" });
    } catch (error) {
      if (isAlreadyExists(error)) throw usage(`${nameOf(object)} is there already`);
      throw new Fault("cli.refused", `${nameOf(object)}: ${Fault.from(error).message}`, {
        fault: "caller",
        retry: "never",
        cause: error,
      });
    }
  }
  for (const { object, resource } of resources) {
    await resource.create(object);
    print(`${nameOf(object)} created`);
  }
  for (const line of await shortages(client, objects)) print(style("yellow", line));
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
