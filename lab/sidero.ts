/** Sidero in the rack's network, started as its users start it, and kubectl and `sidero` commands beside it. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { SIDERO } from "../test/peers/locate.ts";
import { start, waitFor, type Child } from "../test/peers/process.ts";
import { inside, output } from "./command.ts";
import type { Network } from "./network.ts";

/** Seconds that a start may take on a busy machine. */
const PATIENCE = 60;

/** What every kernel in the lab is told: a line to talk on, and not to trust the timer of a machine that is emulated on a busy one. */
const KERNEL = "console=ttyS0 no_timer_check";

export interface SideroOptions {
  /** Flags of `sidero up` without the dashes; they win over the lab's own. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Path of kubectl. */
  readonly kubectl: string;
  /** Folder of its log; the network's directory if absent. */
  readonly logs?: string;
}

export interface Sidero {
  readonly kubeconfig: string;
  /** File of everything it logs. */
  readonly path: string;
  readonly child: Child;
  /** Standard output of kubectl with these arguments. */
  kubectl(...args: string[]): Promise<string>;
  /** A kubectl that goes on until it is stopped. */
  follow(...args: string[]): Child;
  /** Standard output of `sidero` with these arguments. */
  run(...args: string[]): Promise<string>;
  /** Writes an object, or several, as `kubectl apply` does. */
  apply(yaml: string): Promise<string>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts it and resolves when it serves. Its state is in the network's directory: what starts there after it has been stopped goes
 * on with it.
 */
export async function startSidero(network: Network, { flags = {}, kubectl, logs }: SideroOptions): Promise<Sidero> {
  const data = join(network.directory, "sidero");
  const path = join(logs ?? network.directory, "sidero.log");
  const all = {
    data,
    "api-address": "127.0.0.1:6443",
    "health-addr": "off",
    "diagnostics-address": "off",
    "extra-agent-kernel-args": KERNEL,
    ...flags,
  };
  const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`);
  const child = start(...inside(network.namespace, SIDERO, ["up", ...args]));
  const file = createWriteStream(path, { flags: "a" });
  child.process.stderr?.pipe(file);
  await waitFor(child, "sidero up", PATIENCE * 1000, () => (/^ready$/m.test(child.log()) ? true : undefined));

  const kubeconfig = join(data, "kubeconfig");
  const env = { KUBECONFIG: kubeconfig };
  const there = (command: string, args: readonly string[]): Promise<string> =>
    output(...inside(network.namespace, command, args), env);
  return {
    kubeconfig,
    path,
    child,
    kubectl: (...args) => there(kubectl, args),
    follow: (...args) => start(...inside(network.namespace, kubectl, args), env),
    run: (...args) => there(SIDERO, args),
    apply: (yaml) => there("sh", ["-c", 'printf %s "$2" | "$1" apply -f -', "apply", kubectl, yaml]),
    stop: (signal) => child.stop(signal),
  };
}
