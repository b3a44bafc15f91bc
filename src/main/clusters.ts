/** Whether Clusters of Cluster API are paused. Their kind may not be there at all: then none is. */
import type { Clusters } from "#controllers/server/ports.ts";
import { sleep } from "#io/clock.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { Cache } from "#kube/cache.ts";
import type { Client } from "#kube/client.ts";
import { type KindRef, kindRef } from "#kube/kind.ts";
import { isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";

interface Cluster extends KubeObject {
  readonly spec?: { readonly paused?: boolean };
}

/** Ours is served in both; somebody else's, from whatever age, most likely in the older one. */
function clusterKind(version: "v1beta1" | "v1beta2"): KindRef<Cluster> {
  return kindRef<Cluster>({ group: "cluster.x-k8s.io", version, kind: "Cluster", plural: "clusters", scope: "Namespaced" });
}
/** Milliseconds between two looks whether the first list is in, and how long that is waited for. */
const LOOK = 50;
const PATIENCE = 10_000;

export interface ClustersPorts {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** The kind is our own. */
  readonly isOurs?: boolean;
}

export interface FollowedClusters {
  readonly clusters: Clusters;
  /** Follows them until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when it is known which are paused, or will not be for a while. */
  known(signal: AbortSignal): Promise<void>;
}

export function createClusters({ client, clock, entropy, log, isOurs = false }: ClustersPorts): FollowedClusters {
  const resource = client.for(clusterKind(isOurs ? "v1beta2" : "v1beta1"));
  const cache = new Cache<Cluster>({ resource, clock, entropy, log: withoutAbsence(log) });
  const isKnown = (): boolean => cache.isSynced || isNotFound(cache.problem);
  return {
    clusters: {
      isPaused(namespace, name) {
        if (!isKnown()) return undefined;
        return cache.get(`${namespace}/${name}`)?.spec?.paused === true;
      },
      isThere: (namespace, name) => (isKnown() ? cache.get(`${namespace}/${name}`) !== undefined : undefined),
      async isPausedNow(namespace, name) {
        try {
          return (await resource.in(namespace).get(name)).spec?.paused === true;
        } catch (error) {
          if (isNotFound(error)) return false;
          throw error;
        }
      },
      onChange(listener) {
        return cache.onChange(({ object, old }) => {
          if (object.spec?.paused === old?.spec?.paused) return;
          listener(object.metadata.namespace ?? "", object.metadata.name ?? "");
        });
      },
    },
    run: (signal) => cache.run(signal),
    async known(signal) {
      const end = clock.monotonic() + PATIENCE;
      while (!isKnown() && !signal.aborted && clock.monotonic() < end) await sleep(clock, LOOK);
    },
  };
}

/** That nobody has brought Cluster API's kinds is nothing to worry people with at each start. */
function withoutAbsence(log: Log): Log {
  return {
    debug: (message, facts) => log.debug(message, facts),
    info: (message, facts) => log.info(message, facts),
    warn: (message, facts) => (isNotFound(facts?.["because"]) ? log.debug(message, facts) : log.warn(message, facts)),
    error: (message, facts) => log.error(message, facts),
    with: (facts) => withoutAbsence(log.with(facts)),
  };
}
