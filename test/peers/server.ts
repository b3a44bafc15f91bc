/** The two API servers that every proof runs on: ours, and the genuine one. Each in its own process, on a free loopback port. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SIDERO, locateKcm, locateRefapi } from "./locate.ts";
import { start, waitFor } from "./process.ts";

export interface Server {
  readonly name: "sidero" | "genuine";
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly pid: number;
  stop(): Promise<void>;
}

function temporary(name: string): string {
  return mkdtempSync(join(tmpdir(), `sidero-test-${name}-`));
}

const LISTENERS = ["--api-address", "--health-addr", "--diagnostics-address"];

/** `bin/sidero up` on fresh data. `args` are added to its command line. */
export async function startSidero(...args: string[]): Promise<Server> {
  const data = temporary("up");
  const child = start(SIDERO, [
    "up",
    "--data",
    data,
    "--network-boot=false",
    ...LISTENERS.flatMap((flag) => [flag, "127.0.0.1:0"]),
    ...args,
  ]);
  await waitFor(child, "sidero up", 30_000, () => (/^ready\b/m.test(child.log()) ? true : undefined));
  return {
    name: "sidero",
    kubeconfig: join(data, "kubeconfig"),
    pid: child.process.pid!,
    async stop() {
      await child.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/**
 * The genuine garbage collector, on a server whose kinds are all there already: it looks for new ones every 30 seconds only.
 * To be stopped before its server.
 */
export function startCollector(server: Server): { stop(): Promise<void> } {
  const dir = temporary("kcm");
  const child = start(locateKcm(), [
    ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map((flag) => `--${flag}=${server.kubeconfig}`),
    "--authentication-skip-lookup",
    "--authorization-always-allow-paths=/healthz",
    "--controllers=garbagecollector",
    "--leader-elect=false",
    "--port=0",
    "--secure-port=0",
    `--cert-dir=${dir}`,
  ]);
  return {
    async stop() {
      await child.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The genuine server on fresh data. `args` are added to refapi's command line. */
export async function startGenuine(...args: string[]): Promise<Server> {
  const dir = temporary("refapi");
  const kubeconfig = join(dir, "kubeconfig");
  const own = ["--secure-port", "0", "--kubeconfig-out", kubeconfig, "--data-dir", join(dir, "data")];
  const child = start(join(locateRefapi(), "refapi"), [...own, ...args]);
  await waitFor(child, "refapi", 30_000, () => (existsSync(kubeconfig) ? true : undefined));
  return {
    name: "genuine",
    kubeconfig,
    pid: child.process.pid!,
    async stop() {
      await child.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Ours and the genuine one, in this order. When one does not start, the other is stopped again. */
export async function startPair(): Promise<[Server, Server]> {
  const [ours, genuine] = await Promise.allSettled([startSidero(), startGenuine()]);
  if (ours.status === "fulfilled" && genuine.status === "fulfilled") return [ours.value, genuine.value];
  for (const result of [ours, genuine]) if (result.status === "fulfilled") await result.value.stop();
  throw ours.status === "rejected" ? ours.reason : (genuine as PromiseRejectedResult).reason;
}
