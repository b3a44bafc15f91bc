/** Sidero's process in the simulation: the plane and network boot as `sidero up` has them, on memory. It can be stopped, and it can crash. */
import { createHash } from "node:crypto";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Store } from "#apiserver/store/store.ts";
import { readSettings } from "#cli/settings/read.ts";
import { Downloads } from "#controllers/environment/downloads.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { createMemoryDownload } from "#io/memory/download.ts";
import type { MemoryJournal } from "#io/memory/journal.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { digest } from "#io/node/digest.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { silentMetrics } from "#kube/metrics.ts";
import type { ProvisionDoors } from "#main/doors.ts";
import { openFleet } from "#main/fleet.ts";
import type { Plane } from "#main/plane.ts";
import { createPlane } from "#main/plane.ts";
import type { Provision } from "#main/provision.ts";
import { openProvision } from "#main/provision.ts";
import type { Site } from "./site.ts";
import { httpUntilDeath, talosUntilDeath, untilDeath } from "./sockets.ts";
import { createMachines } from "#main/machines.ts";
import { Life } from "./machine/life.ts";

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
  const openUdp = untilDeath(host.openUdp, life);
  const openHttp = httpUntilDeath(web.openFrom(site.managementAddress), life);
  const { interfaces } = host;
  const fleetDoors = { openUdp, openHttp, interfaces, resolve: async (name: string) => name, crypto: systemCrypto };
  const bmcs = openFleet({ doors: fleetDoors, clock: life, entropy, log, metrics: silentMetrics }, settings);
  const machines = createMachines({ power: bmcs.fleet, settings, clock: life, entropy });
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
    machines,
    clusters: {
      providers: new Set(settings.providers),
      dial: talosUntilDeath(site.dialTalos, life),
      pki: site.pki,
      open: openHttp,
    },
    ...(site.between && { between: site.between }),
  });
  bmcs.connect({ client: plane.client });
  await plane.start(stop.signal);
  const doors: ProvisionDoors = {
    disk: site.disk,
    openUdp,
    openIcmp6: host.openIcmp6,
    interfaces,
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
    machines,
    events,
    blobs,
    clock: life,
    entropy,
    digest,
    log,
    limits: LIMITS,
  });
  bmcs.connect({ witness: provision.witness });
  return {
    life,
    store,
    client,
    plane,
    provision,
    async stop() {
      stop.abort();
      await bmcs.fleet.close();
      await provision.close();
      await plane.ended;
      await downloads.close();
      await plane.stop();
      await store.close();
      life.end();
    },
  };
}

export function sha512(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}
