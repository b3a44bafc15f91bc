/** {@link Workloads}: each cluster is followed from when it is first asked about until its access is gone. */
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import { parseKey } from "./kind.ts";
import { Followed } from "./workload-sight.ts";
import type { AccessSource, SourcePorts } from "./workload-source.ts";
import { noAccess, secretSource } from "./workload-source.ts";
import type { ClusterName, Sight, Workloads, WorkloadNode } from "./workload.ts";

export interface FollowedWorkloads {
  readonly workloads: Workloads;
  /** Follows them until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Over the Secrets `<cluster>-kubeconfig`. */
export function createWorkloads(ports: SourcePorts): FollowedWorkloads {
  return followWorkloads(secretSource(ports), ports);
}

export function followWorkloads(
  source: AccessSource,
  { clock, entropy, log }: { readonly clock: Clock; readonly entropy: Entropy; readonly log: Log },
): FollowedWorkloads {
  const followed = new Map<string, Followed>();
  /** Asked about, with since when they cannot be reached at all. */
  const asked = new Map<string, number>();
  const listeners = new Set<(cluster: ClusterName, node?: WorkloadNode) => void>();
  let stopped = false;

  const tell = (cluster: string, node?: WorkloadNode): void => {
    for (const listener of listeners) listener(parseKey(cluster), node);
  };
  const drop = (cluster: string): void => {
    followed.get(cluster)?.stop();
    followed.delete(cluster);
  };
  const follow = (cluster: string): Followed | Fault => {
    const access = source.access(cluster) ?? noAccess(cluster, "it is not known yet how");
    const before = followed.get(cluster);
    if (before !== undefined && before.access === access) return before;
    drop(cluster);
    if (access instanceof Fault || stopped)
      return access instanceof Fault ? access : noAccess(cluster, "nobody follows it any more");
    const onChange = (node?: WorkloadNode): void => {
      if (followed.get(cluster) === now) tell(cluster, node);
    };
    const now = new Followed({ access, clock, entropy, log, onChange });
    followed.set(cluster, now);
    return now;
  };
  source.onChange((cluster) => {
    if (asked.has(cluster)) {
      asked.set(cluster, clock.now());
      if (follow(cluster) instanceof Fault) asked.delete(cluster);
    }
    tell(cluster);
  });

  return {
    workloads: {
      sight({ namespace, name }): Sight {
        const cluster = `${namespace}/${name}`;
        if (!asked.has(cluster)) asked.set(cluster, clock.now());
        const now = follow(cluster);
        return now instanceof Fault ? { nodes: undefined, problem: now, since: asked.get(cluster) } : now.sight;
      },
      async client({ namespace, name }) {
        await source.known();
        const access = source.access(`${namespace}/${name}`);
        if (access === undefined || access instanceof Fault)
          throw access ?? noAccess(`${namespace}/${name}`, "it is not known how");
        return access.client;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async run(signal) {
      void source.known(signal).then(
        () => {
          for (const cluster of asked.keys()) tell(cluster);
        },
        () => {},
      );
      await source.run(signal);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      stopped = true;
      for (const cluster of followed.keys()) drop(cluster);
    },
  };
}
