/** The Kubernetes of a cluster, as the lab has it: Sidero's own API server, with the certificates that the configuration has. */
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { MASTERS } from "#apiserver/authorize.ts";
import { createEdge } from "#apiserver/edge.ts";
import { createApiServer } from "#apiserver/server.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Log } from "#io/log.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createJournal } from "#io/node/journal.ts";
import { listen } from "#io/node/serve.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import type { KeyPair } from "#talos/pki.ts";
import { kindRef } from "#kube/kind.ts";
import { authorize, BOOTSTRAPPERS } from "./authorize.ts";
import { definitions, NODE_LEASES } from "./kinds.ts";

export interface ClusterOptions {
  /** Of its journal. */
  readonly directory: string;
  readonly port: number;
  readonly authority: KeyPair;
  readonly serving: KeyPair;
  /** `abcdef.0123456789abcdef` */
  readonly bootstrapToken: string;
  readonly log: Log;
}

const LIMITS = { headers: 10_000, idle: 120_000, buffered: 1024 * 1024, stalled: 30_000 };
const Namespaces = kindRef({ group: "", version: "v1", kind: "Namespace", plural: "namespaces", scope: "Cluster" });

/** Resolves, when it serves, to a client that may do everything. */
export async function startCluster({
  directory,
  port,
  authority,
  serving,
  bootstrapToken,
  log,
}: ClusterOptions): Promise<Client> {
  const store = await createStore({ journal: createJournal(directory), clock });
  const version = { version: "lab", platform: "linux/amd64" };
  const api = createApiServer({ store, definitions, version, clock, entropy, digest, log });
  const [id] = bootstrapToken.split(".");
  const user = { name: `system:bootstrap:${id}`, groups: [BOOTSTRAPPERS] };
  const tokens = { find: (token: string) => (digest(token) === digest(bootstrapToken) ? user : undefined) };
  const authenticate = createAuthenticator({ clock, tokens });
  const handler = createEdge({ authenticate, authorize, handler: api.handler, clock, entropy, log });
  await api.start();
  const transport = createMemoryTransport(handler, { principal: { name: "system:kube-controller-manager", groups: [MASTERS] } });
  const client = createClient({ transport, clock, entropy, userAgent: "stand-in" });
  await client
    .for(Namespaces)
    .create({ metadata: { name: NODE_LEASES } })
    .catch(() => undefined);
  const tls = { key: serving.key, certificate: serving.certificate, clientCa: authority.certificate };
  await listen({ host: "0.0.0.0", port, tls, limits: LIMITS }, handler);
  return client;
}
