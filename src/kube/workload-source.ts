/** Where access to workload clusters comes from: the Secrets that control planes write, or a test that hands it in. */
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { HttpTransport, OpenHttp } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { Cache } from "./cache.ts";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import { kindRef } from "./kind.ts";
import { parseKubeconfig } from "./kubeconfig.ts";
import { severable, type Severable } from "./severable.ts";

/** A way to reach one cluster. */
export interface Access {
  readonly client: Client;
  /** Breaks off everything under way, as if the connection were lost; later requests go ahead. */
  sever(reason: Fault): void;
  close(): Promise<void>;
}

/** Clusters are named `namespace/name`. */
export interface AccessSource {
  /** A Fault says why there is none; undefined: it is not known yet. */
  access(cluster: string): Access | Fault | undefined;
  /** Called with a cluster whose access is another one now. To be asked for once. */
  onChange(listener: (cluster: string) => void): void;
  /** Resolves when it is known who can be reached. */
  known(signal?: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
const Secret = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

const SUFFIX = "-kubeconfig";
const CLUSTER_NAME = "cluster.x-k8s.io/cluster-name";
/** As the contract has them: other Secrets of a cluster, a thousand machine configurations, need not be kept here. */
const SELECTION = { labelSelector: CLUSTER_NAME, fieldSelector: "type=cluster.x-k8s.io/secret" };

export interface SourcePorts {
  /** Of the cluster that manages the others. */
  readonly client: Client;
  readonly open: OpenHttp;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly userAgent?: string;
}

export function noAccess(cluster: string, because: string): Fault {
  return new Fault("kube.workload", `cluster ${cluster} cannot be reached: ${because}`, { fault: "world", retry: "soon" });
}

/** By the Secrets `<cluster>-kubeconfig`. Access lasts as long as the Secret says the same. */
export function secretSource({ client, open, clock, entropy, log, userAgent = "sidero" }: SourcePorts): AccessSource {
  const resource = client.for(Secret);
  const cache = new Cache<Secret>({ resource, clock, entropy, log, ...SELECTION });
  const known = new Map<string, { readonly value: string; readonly access: Access | Fault }>();
  const accessOf = (cluster: string, value: string): Access | Fault => {
    try {
      return accessThrough(open(parseKubeconfig(atob(value))), { clock, entropy, userAgent });
    } catch (error) {
      const because = Fault.is(error) ? error.message : "the value of its Secret is not base64";
      return noAccess(cluster, because);
    }
  };
  const forget = (cluster: string): void => {
    const access = known.get(cluster)?.access;
    known.delete(cluster);
    if (access !== undefined && !(access instanceof Fault)) void access.close();
  };
  return {
    access(cluster) {
      if (!cache.isSynced) return undefined;
      const value = cache.get(`${cluster}${SUFFIX}`)?.data?.["value"];
      if (value === undefined) return noAccess(cluster, `there is no Secret ${cluster}${SUFFIX} with a value yet`);
      const before = known.get(cluster);
      if (before?.value === value) return before.access;
      forget(cluster);
      const access = accessOf(cluster, value);
      known.set(cluster, { value, access });
      return access;
    },
    onChange(listener) {
      cache.onChange(({ type, key, object, old }) => {
        if (!key.endsWith(SUFFIX)) return;
        const cluster = key.slice(0, -SUFFIX.length);
        if (type === "delete") forget(cluster);
        if (type === "delete" || object.data?.["value"] !== old?.data?.["value"]) listener(cluster);
      });
    },
    known: (signal) => cache.synced(signal),
    async run(signal) {
      await cache.run(signal);
      for (const cluster of known.keys()) forget(cluster);
    },
  };
}

function accessThrough(
  transport: HttpTransport,
  ports: { readonly clock: Clock; readonly entropy: Entropy; readonly userAgent: string },
): Access {
  const severed: Severable = severable(transport);
  return {
    client: createClient({ ...ports, transport: severed }),
    sever: (reason) => severed.sever(reason),
    close: () => severed.close(),
  };
}
