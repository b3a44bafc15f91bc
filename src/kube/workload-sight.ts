/** What is seen of one workload cluster: its Nodes by a watch, and whether it is still there by asking when the watch is silent. */
import { sleep } from "#io/clock.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import { Cache } from "./cache.ts";
import { kindRef } from "./kind.ts";
import type { Access } from "./workload-source.ts";
import type { Sight, WorkloadNode } from "./workload.ts";

export const WorkloadNodes = kindRef<WorkloadNode>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  scope: "Cluster",
});

/** Milliseconds between two questions, how long an answer may take, and how many may stay away. As Cluster API's own. */
const PROBE = { interval: 10_000, timeout: 5_000, failures: 5 };

export interface FollowOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Something is seen otherwise now; the Node, if it is one. */
  readonly onChange: (node?: WorkloadNode) => void;
}

export class Followed {
  readonly access: Access;
  readonly #options: FollowOptions;
  readonly #cache: Cache<WorkloadNode>;
  readonly #stop = new AbortController();
  /** The same list until a Node changes. */
  #nodes: readonly WorkloadNode[] | undefined;
  #problem: { readonly fault: Fault; readonly since: number } | undefined;
  /** On the monotonic clock: when the cluster last said anything. */
  #heard: number;

  constructor(options: FollowOptions) {
    const { access, clock, entropy, log, onChange } = options;
    this.#options = options;
    this.access = access;
    this.#heard = clock.monotonic();
    const resource = access.client.for(WorkloadNodes);
    // What is wrong with a workload cluster is in its Cluster's conditions; in the log it would be noise.
    const onProblem = (fault: Fault | undefined): void => this.#note(fault);
    this.#cache = new Cache({ resource, clock, entropy, log: quiet(log), onProblem });
    this.#cache.onChange(({ object }) => {
      this.#nodes = undefined;
      this.#heard = clock.monotonic();
      onChange(object);
    });
    void this.#run(this.#stop.signal);
  }

  get sight(): Sight {
    return {
      nodes: this.#cache.isSynced ? (this.#nodes ??= [...this.#cache.values()]) : undefined,
      problem: this.#problem?.fault,
      since: this.#problem?.since,
    };
  }

  stop(): void {
    this.#stop.abort(new Fault("kube.workload", "the cluster is no longer followed", { fault: "world", retry: "never" }));
  }

  async #run(signal: AbortSignal): Promise<void> {
    void this.#cache.synced(signal).then(
      () => this.#options.onChange(),
      () => {},
    );
    await Promise.all([this.#cache.run(signal), this.#probe(signal)]);
  }

  #note(fault: Fault | undefined): void {
    this.#problem = fault && { fault, since: this.#options.clock.now() };
    this.#options.onChange();
  }

  /** Rejects never; ends with the signal. */
  async #probe(signal: AbortSignal): Promise<void> {
    const { access, clock } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      await sleep(clock, PROBE.interval, signal).catch(() => {});
      if (signal.aborted) return;
      // While the watch has a problem, its own tries ask often enough.
      if (this.#problem !== undefined || clock.monotonic() - this.#heard < PROBE.interval) {
        failures = 0;
        continue;
      }
      const problem = await this.#ask(signal);
      failures = problem === undefined ? 0 : failures + 1;
      if (failures < PROBE.failures) continue;
      failures = 0;
      access.sever(problem!);
    }
  }

  async #ask(signal: AbortSignal): Promise<Fault | undefined> {
    const { access, clock } = this.#options;
    const limit = new AbortController();
    const timer = clock.after(PROBE.timeout, () => limit.abort(silent()));
    const stop = (): void => limit.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await access.client.raw("GET", "/version", { signal: limit.signal });
      return undefined;
    } catch (error) {
      return Fault.from(error);
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", stop);
    }
  }
}

function silent(): Fault {
  return new Fault("api.timeout", `no answer within ${PROBE.timeout / 1000} s`, { fault: "peer", retry: "soon" });
}

function quiet(log: Log): Log {
  return {
    debug: (message, facts) => log.debug(message, facts),
    info: (message, facts) => log.debug(message, facts),
    warn: (message, facts) => log.debug(message, facts),
    error: (message, facts) => log.error(message, facts),
    with: (facts) => quiet(log.with(facts)),
  };
}
