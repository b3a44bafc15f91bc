/** `sidero up`: the plane on real doors, until a signal ends it. Prints `ready` on standard output once clients can come. */
import { hostname } from "node:os";
import { join } from "node:path";
import { servingNames, openPki } from "#apiserver/pki.ts";
import { serverUrl, writeKubeconfig } from "#apiserver/kubeconfig.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import { readTokens, type Tokens } from "#apiserver/tokens.ts";
import type { Settings } from "#cli/settings/read.ts";
import type { SettingName } from "#cli/settings/table.ts";
import type { ListenAddress } from "#cli/settings/setting.ts";
import { opensslCiphers, TLS_VERSIONS } from "#cli/settings/tls.ts";
import type { Log } from "#io/log.ts";
import type { Handler, Listener, ListenOptions } from "#io/serve.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { disk } from "#io/node/disk.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createJournal } from "#io/node/journal.ts";
import { createLog } from "#io/node/log.ts";
import { systemPki } from "#io/node/pki.ts";
import { listen } from "#io/node/serve.ts";
import { Fault } from "#std/fault.ts";
import { createBackupRoute } from "./backup-route.ts";
import { healthHandler, metricsHandler } from "./diagnostics.ts";
import { openAssets, type OpenAssets } from "./assets.ts";
import { openNodeDoors } from "./doors.ts";
import { nodeFleetDoors, openFleet } from "./fleet.ts";
import type { OpenFleet } from "./fleet.ts";
import { createMachines } from "./machines.ts";
import { restoredAt } from "./restored.ts";
import { dialTalos } from "./talos/client.ts";
import type { LinkStatus } from "./link-route.ts";
import { openMachineLogs } from "./link-logs.ts";
import { createLogRoute } from "./log-route.ts";
import { createMetrics } from "./metrics.ts";
import { createPlane, type Plane } from "./plane.ts";
import { refusedFor } from "./listening.ts";
import { openProvision, subnetsFrom, type Provision } from "./provision.ts";

/** Of every listener; the docstring of ListenOptions says what each bounds. */
const LIMITS: ListenOptions["limits"] = { headers: 10_000, idle: 120_000, buffered: 1024 * 1024, stalled: 30_000 };
/** Milliseconds between two wakings for nothing. */
const STAY = 2 ** 30;

export async function up(settings: Settings): Promise<void> {
  const log = createLog({ format: settings["logging-format"], verbosity: settings.v });
  const directory = settings.data;
  const stop = stopper(log);
  // What is wrong is said before anything has begun.
  const tokens = await tokensFrom(settings["token-auth-file"]);
  const subnets = settings["network-boot"] ? await subnetsFrom(settings["dhcp-subnets"]) : [];
  const api = settings["api-address"];
  const names = servingNames(api?.host ?? "", hostname(), settings["api-tls-name"]);
  await disk.makeDirectory(directory, 0o700);
  const journal = createJournal(directory);
  const store = await createStore({ journal, clock, historyAge: settings["history-age"] });
  // Timers and an idle journal let a process end, and listeners may all be off.
  const staying = setInterval(() => {}, STAY);
  const listeners: Listener[] = [];
  let plane: Plane | undefined;
  let provision: Provision | undefined;
  let assets: OpenAssets | undefined;
  let bmcs: OpenFleet | undefined;
  try {
    const pki = await openPki({ disk, directory: join(directory, "pki"), clock, entropy, names, log });
    const metrics = createMetrics();
    // Whoever has the journal is the only one: a process that comes after a crash goes on with the lease of the one before.
    const identity = `${hostname()}_${digest(pki.authority).slice(0, 16)}`;
    const backup = await createBackupRoute(journal, directory, entropy);
    const leaderElection = settings["enable-leader-election"];
    if (settings["network-boot"]) assets = await openAssets({ directory, clock, entropy, log });
    if (assets !== undefined) bmcs = openFleet({ doors: nodeFleetDoors, clock, entropy, log, metrics }, settings);
    const ordersSince = await restoredAt(directory);
    const logs =
      settings["network-boot"] && settings.siderolink ? await openMachineLogs(directory, settings, clock, log) : undefined;
    const machines = bmcs && createMachines({ power: bmcs.fleet, settings, ordersSince, clock, entropy });
    let linkStatus: LinkStatus = { is: settings["network-boot"] && settings.siderolink ? "opening" : "off" };
    plane = createPlane({
      store,
      clock,
      entropy,
      digest,
      log,
      metrics,
      identity,
      leaderElection,
      backup,
      ...(logs && { logs: createLogRoute(logs) }),
      linkStatus: () => linkStatus,
      clusters: { providers: new Set(settings.providers), dial: dialTalos, pki: systemPki, open: createHttpClient },
      ...(tokens && { tokens }),
      ...(assets && { assets }),
      ...(machines && { machines }),
    });
    const ciphers = opensslCiphers(settings["tls-min-version"], settings["tls-cipher-suites"]);
    const tls = {
      key: pki.serving.key,
      certificate: pki.serving.certificate,
      clientCa: pki.authority,
      minVersion: TLS_VERSIONS[settings["tls-min-version"]],
      ...(ciphers === undefined ? {} : { ciphers }),
    };
    const serve = async (
      option: SettingName,
      what: string,
      address: ListenAddress | undefined,
      secure: boolean,
      handler: Handler,
    ): Promise<number> => {
      if (address === undefined) return 0;
      const listening = listen({ ...address, ...(secure ? { tls } : {}), limits: LIMITS }, handler);
      const listener = await listening.catch((error: unknown) => Promise.reject(refusedFor(option, error)));
      listeners.push(listener);
      log.info(`serving ${what}`, { url: serverUrl(address.host, listener.port, secure ? "https" : "http") });
      return listener.port;
    };

    bmcs?.connect({ client: plane.client });
    await plane.start(stop.signal);
    const port = await serve("api-address", "the API", api, true, plane.handler);
    await serve("health-addr", "health", settings["health-addr"], false, healthHandler(plane.handler));
    const open = settings["insecure-diagnostics"];
    await serve(
      "diagnostics-address",
      "metrics",
      settings["diagnostics-address"],
      !open,
      metricsHandler({ metrics, tokens, clock, entropy, open }),
    );

    if (api !== undefined) {
      const path = join(directory, "kubeconfig");
      // The name that was given, not the address it stands for: the certificate is made out to it.
      await writeKubeconfig({ disk, path, host: api.host, port, authority: pki.authority, client: pki.admin });
    }
    if (assets !== undefined) {
      const { client, events } = plane;
      const ports = { client, events, blobs: assets.blobs, clock, entropy, digest, log, metrics, ...(machines && { machines }) };
      const doors = await openNodeDoors(directory, entropy);
      provision = await openProvision({
        settings,
        ordersSince,
        subnets,
        doors,
        directory,
        limits: LIMITS,
        ...(logs && { logs }),
        ...(leaderElection && { identity }),
        onStatus: (status) => (linkStatus = status),
        ...ports,
      });
      bmcs?.connect({ witness: provision.witness });
    }
    if (!stop.signal.aborted) console.log("ready");
    await plane.ended;
  } finally {
    // Also when something has failed: then the rest is still running.
    stop.abort();
    await bmcs?.fleet.close();
    await provision?.close();
    await assets?.close();
    await Promise.all(listeners.map((listener) => listener.close()));
    await plane?.stop();
    await store.close();
    clearInterval(staying);
  }
}

/** Aborted by the first SIGTERM or SIGINT; the second one finds nobody listening and ends the process at once. */
function stopper(log: Log): AbortController {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    log.info("stopping", { signal });
    stop.abort(new Fault("main.stopped", `stopped by ${signal}`, { fault: "caller", retry: "never" }));
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return stop;
}

async function tokensFrom(path: string): Promise<Tokens | undefined> {
  if (path === "") return undefined;
  const refused = (problem: string, cause?: unknown): Fault =>
    new Fault("cli.settings", `--token-auth-file: ${path}: ${problem}`, { fault: "caller", retry: "never", cause });
  const bytes = await disk.read(path);
  if (bytes === undefined) throw refused("there is no such file");
  try {
    return readTokens(Buffer.from(bytes).toString(), digest);
  } catch (error) {
    throw refused(Fault.from(error).message, error);
  }
}
