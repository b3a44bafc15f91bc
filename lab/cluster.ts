/** A cluster of the rack's machines: made, looked at and taken apart by `sidero cluster`, and seen from inside by kubectl with its own kubeconfig. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "./talos/kubernetes/kinds.ts";
import { inside, output } from "./command.ts";
import { serveFiles, type Files } from "./files.ts";
import { start, type Child } from "../test/peers/process.ts";
import type { Site } from "./site.ts";

/** What control plane machines share, and whatever calls the cluster's API calls. */
export const SHARED = "10.77.0.50";
/** Where the rack finds what is to be installed: an address of its own. */
const FILES = 3;
/** As a person of the lab has them: what a machine's serial line needs, and Talos' own. */
const ARGUMENTS = [
  "console=ttyS0",
  "no_timer_check",
  "quiet",
  "talos.platform=metal",
  "slab_nomerge",
  "pti=on",
  "init_on_alloc=1",
  "initrd=initramfs.xz",
];

/** Serves the folder of what stands in for Talos, and makes it what allocated machines boot. */
export async function offerTalos({ network, sidero }: Site, folder: string): Promise<Files> {
  const files = await serveFiles(network, FILES, folder);
  await sidero.apply(`
apiVersion: metal.sidero.dev/v1alpha2
kind: Environment
metadata: { name: default }
spec:
  kernel:
    url: ${files.url}/vmlinuz-amd64
    args: [${ARGUMENTS.join(", ")}]
  initrd: { url: "${files.url}/initramfs-amd64.xz" }
  # What Sidero has made of it by itself is fetched from a network that is not there.
  arm64: null
`);
  return files;
}

export interface ClusterOptions {
  readonly name: string;
  readonly workers: number;
  readonly talosVersion: string;
  /** Absent: each Server says it. */
  readonly disk?: string;
}

export interface LabCluster {
  readonly name: string;
  /** Standard output of `sidero cluster` with these words. */
  run(verb: string, ...args: string[]): Promise<string>;
  /** Standard output of kubectl on the cluster itself; rejects while it has no kubeconfig, or nobody answers. */
  kubectl(...args: string[]): Promise<string>;
  /** A kubectl on the cluster itself that goes on until it is stopped. */
  follow(...args: string[]): Promise<Child>;
  nodes(): Promise<Node[]>;
}

export async function createCluster({ network, sidero }: Site, kubectl: string, options: ClusterOptions): Promise<LabCluster> {
  const { name, workers, talosVersion, disk } = options;
  const run = (verb: string, ...args: string[]): Promise<string> =>
    sidero.run("cluster", verb, name, ...args, "--kubeconfig", sidero.kubeconfig);
  const file = join(network.directory, `${name}.kubeconfig`);
  const command = async (args: readonly string[]): Promise<[string, string[]]> => {
    await writeFile(file, await run("kubeconfig"), { mode: 0o600 });
    return inside(network.namespace, kubectl, ["--kubeconfig", file, "--request-timeout=10s", ...args]);
  };
  const shape = ["--control-planes", "1", "--workers", String(workers), "--talos-version", talosVersion];
  const place = ["--endpoint", SHARED, "--vip-link", "eth0", ...(disk === undefined ? [] : ["--install-disk", disk])];
  await run("create", ...shape, ...place);
  const ask = async (...args: string[]): Promise<string> => output(...(await command(args)));
  return {
    name,
    run,
    kubectl: ask,
    follow: async (...args) => start(...(await command(args))),
    nodes: async () => (JSON.parse(await ask("get", "nodes", "-o", "json")) as { items: Node[] }).items,
  };
}

export function isReady({ status }: Node): boolean {
  return status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
}
