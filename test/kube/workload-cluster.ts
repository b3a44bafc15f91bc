/** A workload cluster for tests: an API server of its own, a door that leads to it, and the Secret by which it is found. */
import type { HttpTransport, OpenHttp } from "#io/http.ts";
import type { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { type Client, createClient } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { encodeBase64 } from "#std/base64.ts";
import { type Fixture, startFixture } from "../apiserver/fixture.ts";

export const SecretKind = kindRef<
  KubeObject & { type?: string; data?: Record<string, string>; stringData?: Record<string, string> }
>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
});

export interface WorkloadCluster {
  readonly fixture: Fixture;
  readonly client: Client;
  /** `https://10.0.0.1:6443`. */
  readonly server: string;
  /** Requests that came through the door. */
  readonly requests: string[];
  /** False: nothing is answered any more, and nothing refused. */
  isAlive: boolean;
  /** Answers in place of the API server, where it does. */
  answer?: (method: string, target: string, body: unknown) => { readonly status: number; readonly json: unknown } | undefined;
}

/** Servers by their URL, to be given wherever a door to HTTP is wanted. */
export class WorkloadNetwork {
  readonly #servers = new Map<string, WorkloadCluster>();

  readonly open: OpenHttp = ({ server }): HttpTransport => ({
    request: async (request) => {
      const cluster = this.#servers.get(server);
      if (cluster === undefined)
        throw new Fault("io.unreachable", `${server}: connection refused`, { fault: "world", retry: "soon" });
      cluster.requests.push(`${request.method} ${request.target.split("?")[0]}`);
      if (!cluster.isAlive) return await never(request.signal);
      const given = cluster.answer?.(
        request.method,
        request.target,
        request.body && JSON.parse(new TextDecoder().decode(request.body)),
      );
      if (given !== undefined) return { status: given.status, headers: {}, body: whole(given.json) };
      const response = await cluster.fixture.transport.request(request);
      return { ...response, body: whileAlive(cluster, response.body, request.signal) };
    },
    close: async () => {},
  });

  async start(clock: VirtualClock, server: string): Promise<WorkloadCluster> {
    const fixture = await startFixture({ clock, seed: 11 });
    const client = createClient({ clock, entropy: new SeededEntropy(3), transport: fixture.transport, userAgent: "observer" });
    const cluster: WorkloadCluster = { fixture, client, server, requests: [], isAlive: true };
    this.#servers.set(server, cluster);
    return cluster;
  }
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

async function* whole(json: unknown): AsyncGenerator<Uint8Array, void, undefined> {
  yield new TextEncoder().encode(JSON.stringify(json));
}

async function* whileAlive(
  cluster: WorkloadCluster,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of body) {
    if (!cluster.isAlive) await never(signal);
    yield piece;
  }
}

export function kubeconfigSecret(namespace: string, cluster: string, server: string) {
  const kubeconfig = JSON.stringify({
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster, user: "u" } }],
    clusters: [{ name: cluster, cluster: { server } }],
    users: [{ name: "u", user: { token: "t" } }],
  });
  return {
    metadata: { name: `${cluster}-kubeconfig`, namespace, labels: { "cluster.x-k8s.io/cluster-name": cluster } },
    type: "cluster.x-k8s.io/secret",
    data: { value: encodeBase64(kubeconfig) },
  };
}
