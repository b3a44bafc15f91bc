/** Sidero's process in the simulation: the plane and network boot as `sidero up` has them, on memory. It can be stopped, and it can crash. */
import { createHash } from "node:crypto";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Store } from "#apiserver/store/store.ts";
import { readSettings } from "#cli/settings/read.ts";
import { Downloads } from "#controllers/environment/downloads.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import type { Clock } from "#io/clock.ts";
import type { HttpTransport } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import type { MemoryBlobs } from "#io/memory/blobs.ts";
import type { MemoryDisk } from "#io/memory/disk.ts";
import { createMemoryDownload } from "#io/memory/download.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { MemoryJournal } from "#io/memory/journal.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import type { Handler } from "#io/serve.ts";
import type { Seal } from "#io/seal.ts";
import type { OpenUdp } from "#io/udp.ts";
import { digest } from "#io/node/digest.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { silentMetrics } from "#kube/metrics.ts";
import type { ProvisionDoors } from "#main/doors.ts";
import type { Plane } from "#main/plane.ts";
import { createPlane } from "#main/plane.ts";
import type { Provision } from "#main/provision.ts";
import { openProvision } from "#main/provision.ts";
import { Life } from "./machine/life.ts";
import type { Web } from "./web.ts";

/** What outlives a process: its host, and what is on that host's disk. */
export interface Site {
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly host: MemoryHost;
  readonly address: string;
  readonly web: Web;
  readonly disk: MemoryDisk;
  readonly blobs: MemoryBlobs;
  readonly seal: Seal;
  readonly origins: Map<string, Handler>;
  readonly subnets: unknown;
  readonly flags: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Between Sidero's own clients and its API. */
  readonly between?: (transport: HttpTransport) => HttpTransport;
  /** Called with a store that has just been opened, before anything is done with it. */
  readonly onStore?: (store: Store) => void;
}

export interface Process {
  readonly life: Life;
  readonly store: Store;
  /** An administrator's; nothing goes wrong on the way. */
  readonly client: Client;
  readonly plane: Plane;
  readonly provision: Provision;
  /** Ends it as a signal does. */
  stop(): Promise<void>;
}

const LIMITS = { headers: 10_000, idle: 120_000, buffered: 1024 * 1024, stalled: 30_000 };

/** Resolves when machines and people are served. The journals are those of the process before, as it left them. */
export async function startProcess(site: Site, journal: MemoryJournal, leases: MemoryJournal): Promise<Process> {
  const { entropy, web, host, address, blobs, log } = site;
  const life = new Life(site.clock);
  const settings = readSettings("up", { env: {}, flags: { data: "/data", "api-endpoint": address, ...site.flags } });
  const stop = new AbortController();
  const store = await createStore({ journal, clock: life });
  site.onStore?.(store);
  const download = createMemoryDownload(site.origins);
  const downloads = new Downloads({ blobs, download, clock: life, entropy, log });
  const plane = createPlane({
    store,
    clock: life,
    entropy,
    digest,
    log,
    metrics: silentMetrics,
    identity: "sim",
    leaderElection: true,
    assets: { blobs, downloads },
    ...(site.between && { between: site.between }),
  });
  await plane.start(stop.signal);
  const doors: ProvisionDoors = {
    disk: site.disk,
    openUdp: untilDeath(host.openUdp, life),
    openIcmp6: host.openIcmp6,
    interfaces: host.interfaces,
    listen: web.listenAt(address),
    lookup: async () => [],
    seal: site.seal,
    leases,
  };
  const { client: own, events } = plane;
  const transport = createMemoryTransport(plane.handler, { principal: { name: "admin", groups: ["system:masters"] } });
  const client = createClient({ transport, clock: life, entropy, userAgent: "kubectl" });
  const provision = await openProvision({
    settings,
    subnets: readSubnets(site.subnets),
    doors,
    directory: "/data",
    client: own,
    events,
    blobs,
    clock: life,
    entropy,
    digest,
    log,
    limits: LIMITS,
  });
  return {
    life,
    store,
    client,
    plane,
    provision,
    async stop() {
      await provision.close();
      stop.abort();
      await plane.ended;
      await downloads.close();
      await plane.stop();
      await store.close();
      life.end();
    },
  };
}

/** Sockets that are closed by the kernel when the process dies. */
function untilDeath(openUdp: OpenUdp, life: Life): OpenUdp {
  return async (options, receive) => {
    const socket = await openUdp(options, (datagram) => {
      if (life.alive) receive(datagram);
    });
    const forget = life.onEnd(() => void socket.close());
    return {
      address: socket.address,
      port: socket.port,
      send: async (bytes, to) => (life.alive ? socket.send(bytes, to) : undefined),
      close: async () => {
        forget();
        await socket.close();
      },
    };
  };
}

export function sha512(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}
