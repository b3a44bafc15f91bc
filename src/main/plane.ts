/**
 * The plane: API server and controllers over whatever doors it is given. `up` gives it sockets and SQLite, a test or the simulator
 * memory and a virtual clock; what runs is the same.
 */
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { createEdge } from "#apiserver/edge.ts";
import type { Check } from "#apiserver/health.ts";
import type { ApiHandler } from "#apiserver/request.ts";
import { createApiServer } from "#apiserver/server.ts";
import type { Store } from "#apiserver/store/store.ts";
import type { Tokens } from "#apiserver/tokens.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { HttpTransport } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import type { Handler, Principal } from "#io/serve.ts";
import { coreDefinitions } from "#kinds/core/definitions.ts";
import { familiesOf } from "#kinds/index.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { createRecorder } from "#kube/events.ts";
import type { Recorder } from "#kube/events.ts";
import { lead } from "#kube/lease.ts";
import { createExternals } from "#kube/externals.ts";
import type { Metrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { createWorkloads } from "#kube/workloads.ts";
import { toCrd } from "#schema/crd.ts";
import { Fault } from "#std/fault.ts";
import type { BackupRoute } from "./backup-route.ts";
import { BACKUP_PATH } from "./backup-route.ts";
import { createClusters } from "./clusters.ts";
import type { AssetPorts, ClusterPorts } from "./controllers.ts";
import { controllers } from "./controllers.ts";
import { ourExtensions } from "./extensions.ts";
import type { LinkStatus } from "./link-route.ts";
import { LINK_STATUS_PATH, linkStatusAnswer } from "./link-route.ts";
import type { LogRoute } from "./log-route.ts";
import { LOGS_PATH } from "./log-route.ts";
import type { MachinePorts } from "./machines.ts";
import { VERSION } from "./version.ts";

/** What our own controllers are to the API server; they are told apart from people in its log. */
const SELF: Principal = { name: "system:sidero", groups: ["system:masters"] };
/** Upstream's lease, so that the two never lead at once on a shared cluster. */
const LEASE = { namespace: "kube-system", name: "controller-leader-election-sidero-controller-manager" };

export interface PlaneOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly digest: Digest;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tokens?: Tokens;
  readonly checks?: readonly Check[];
  /** Host and process, for leases and events. */
  readonly identity: string;
  readonly leaderElection: boolean;
  /** Absent without network boot. */
  readonly assets?: AssetPorts;
  /** Absent without network boot. */
  readonly machines?: MachinePorts;
  readonly clusters: ClusterPorts;
  /** Absent where there is nothing to copy. */
  readonly backup?: BackupRoute;
  /** Absent without SideroLink. */
  readonly logs?: LogRoute;
  /** How SideroLink is; absent without it. */
  readonly linkStatus?: () => LinkStatus;
  /** What stands between our own clients and the API: a simulation lets things go wrong there. */
  readonly between?: (transport: HttpTransport) => HttpTransport;
}

export interface Plane {
  /** The whole API, authentication included: give it to listeners. */
  readonly handler: Handler;
  /** Talks to the API without a socket, as an administrator. */
  readonly client: Client;
  /** Tells Events to the same API. */
  readonly events: Recorder;
  /** Resolves when our kinds are served; controllers then run until `signal` is aborted. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the controllers have ended; rejects when one of them could not go on. */
  readonly ended: Promise<void>;
  /** Ends what {@link start} began; the store stays open. */
  stop(): Promise<void>;
}

export function createPlane(options: PlaneOptions): Plane {
  const { store, clock, entropy, digest, log, metrics, clusters } = options;
  const families = familiesOf(clusters.providers);
  const api = createApiServer({
    store,
    definitions: coreDefinitions,
    crds: families.map(toCrd),
    extensions: ourExtensions(families),
    version: { version: VERSION, platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}` },
    checks: options.checks ?? [],
    clock,
    entropy,
    digest,
    log: log.with({ part: "apiserver" }),
  });
  const authenticate = createAuthenticator({ clock, ...(options.tokens === undefined ? {} : { tokens: options.tokens }) });
  const { backup, logs, linkStatus } = options;
  const route: ApiHandler = (request) => {
    const isGet = request.method === "GET";
    if (isGet && backup !== undefined && request.path === BACKUP_PATH) return backup(request);
    if (isGet && logs !== undefined && request.path.startsWith(LOGS_PATH)) return logs(request);
    if (isGet && linkStatus !== undefined && request.path === LINK_STATUS_PATH)
      return Promise.resolve(linkStatusAnswer(linkStatus()));
    return api.handler(request);
  };
  const handler = createEdge({ authenticate, handler: route, clock, entropy, log });
  const direct = createMemoryTransport(handler, { principal: SELF });
  const transport = options.between?.(direct) ?? direct;
  const client = createClient({ transport, clock, entropy, userAgent: `sidero/${VERSION}` });
  const ports = { client, clock, entropy, log };
  const events = createRecorder({ ...ports, component: "sidero", instance: options.identity });

  const { assets, machines } = options;
  const control = async (signal: AbortSignal, mayAct: () => boolean): Promise<void> => {
    const followed = machines && createClusters({ ...ports, isOurs: clusters.providers.has("core") });
    const { workloads, run: follow } = createWorkloads({ ...ports, open: clusters.open, userAgent: `sidero/${VERSION}` });
    const { externals, run: followExternals } = createExternals(ports);
    const own = machines && { machines: { ...machines, clusters: followed!.clusters } };
    const list = controllers({
      client,
      clock,
      entropy,
      metrics,
      clusters,
      workloads,
      externals,
      digest,
      ...(assets && { assets }),
      ...own,
    });
    const runtime = new Runtime({ ...ports, metrics, events, controllers: list, mayAct });
    const following = Promise.all([followed?.run(signal), follow(signal), followExternals(signal)]);
    // Whoever does not know which clusters are paused would take all their machines for paused.
    await followed?.known(signal);
    await runtime.run(signal).finally(() => machines?.power.release?.());
    await following;
  };
  /**
   * A lease that is lost stops the controllers, not the API: a disk that is full for a while must not cost clients their watches, and
   * whoever leads instead may be one of them.
   */
  const run = async (signal: AbortSignal): Promise<void> => {
    if (!options.leaderElection) return control(signal, () => true);
    while (!signal.aborted) {
      const leading = lead({ ...ports, ...LEASE, identity: options.identity }, signal, (leadership) =>
        control(leadership.signal, () => leadership.isHeld()),
      );
      await leading.catch((error: unknown) => {
        if (!Fault.is(error, "kube.lease-lost")) throw error;
        log.error("leading no longer, waiting to lead again", { because: error });
      });
    }
  };

  const ended = Promise.withResolvers<void>();
  // Whoever starts a plane may be busy with something else when it fails, and learns of it later.
  ended.promise.catch(() => {});
  return {
    handler,
    client,
    events,
    ended: ended.promise,
    async start(signal) {
      await api.start();
      run(signal).then(ended.resolve, ended.reject);
    },
    async stop() {
      await transport.close();
      await api.stop();
    },
  };
}
