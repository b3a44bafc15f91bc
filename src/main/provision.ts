/**
 * The provisioning side of a process: DHCP, TFTP and the one HTTP port of machines, on whatever doors they are given. What they read
 * comes from the API's caches, what they see goes to the flight recorder, and what machines report becomes Servers.
 */
import { join } from "node:path";
import { parse } from "yaml";
import type { Settings } from "#cli/settings/read.ts";
import { parseListenAddress } from "#cli/settings/address.ts";
import type { ListenAddress } from "#cli/settings/setting.ts";
import { createAgentHandler } from "#agent/api/handler.ts";
import { createAssets } from "#boot/assets.ts";
import { createDhcp } from "#boot/dhcp/dhcp.ts";
import { endpointOf } from "#boot/http/endpoint.ts";
import { createBootHandler } from "#boot/http/handler.ts";
import { entryScript } from "#boot/http/scripts.ts";
import { loadPrograms } from "#boot/programs.ts";
import { createTftpFiles } from "#boot/tftp/files.ts";
import { createTftp } from "#boot/tftp/server.ts";
import { createFlightRecorder } from "#controllers/boot-record/recorder.ts";
import { readSubnets, type Subnet } from "#decide/dhcp/subnets.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { disk } from "#io/node/disk.ts";
import type { Handler, ListenOptions } from "#io/serve.ts";
import { throttled } from "#io/throttle.ts";
import type { Client } from "#kube/client.ts";
import { publishEraseKey } from "#kube/erase-keys.ts";
import type { Recorder } from "#kube/events.ts";
import type { TunnelStatus } from "#link/kept-tunnel.ts";
import type { MachineLogs } from "#link/logs/machine-logs.ts";
import { silentMetrics } from "#kube/metrics.ts";
import type { Metrics } from "#kube/metrics.ts";
import { Fault } from "#std/fault.ts";
import { parseArguments } from "#wire/ipxe/argument.ts";
import { createBmcProver } from "./bmc-prover.ts";
import type { ProvisionDoors } from "./doors.ts";
import { createInventory } from "./inventory.ts";
import { createMetadataPort } from "./metadata.ts";
import { LINK_PATHS, openLink, type Reach } from "./link.ts";
import { refusedFor } from "./listening.ts";
import type { MachinePorts } from "./machines.ts";
import { createRegistry } from "./registry.ts";

export interface ProvisionOptions {
  readonly settings: Settings;
  /** As in the life cycle's settings. */
  readonly ordersSince?: number | undefined;
  readonly subnets: readonly Subnet[];
  readonly doors: ProvisionDoors;
  /** The data directory. */
  readonly directory: string;
  readonly client: Client;
  readonly events: Recorder;
  readonly blobs: Blobs;
  /** The life cycle's: who is connected, and who asks. */
  readonly machines?: MachinePorts;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly digest: Digest;
  readonly log: Log;
  /** Absent: nobody counts. */
  readonly metrics?: Metrics;
  readonly limits: ListenOptions["limits"];
  /** What machines log; absent: nothing is kept. */
  readonly logs?: MachineLogs;
  /** Of this process among the replicas; absent: it is the only one. */
  readonly identity?: string;
  /** Told how SideroLink's tunnel is, whenever that changes. */
  readonly onStatus?: (status: TunnelStatus & Reach) => void;
}

export interface Provision {
  /** Of the HTTP port. */
  readonly port: number;
  /** The flight recorder's. */
  readonly witness: Witness;
  /** Ends when nothing is open any more and all that was seen is on record. */
  close(): Promise<void>;
}

/** Where Debian's package has iPXE. */
const DEBIAN_PROGRAMS = "/usr/lib/ipxe";
/** Connections of one address, which may be that of a gateway with many machines behind it: a sixteenth of all there can be. */
const PER_ADDRESS = 1024;
/** Lines that machines may have us log; a hall of them that is powered on is within the burst. */
const LINES = { rate: 50, burst: 20_000 };
/** How long a boot script's token counts: a slow machine with much memory to test takes a quarter of an hour to its agent. */
const TOKEN_LIFETIME = 3_600_000;

/** Rejects when the settings cannot be followed or the HTTP port cannot be had; what DHCP and TFTP lack they log, and try again. */
export async function openProvision(options: ProvisionOptions): Promise<Provision> {
  const { settings, subnets, doors, directory, client, events, blobs, clock, entropy, digest, limits, machines } = options;
  const { openUdp, openIcmp6, interfaces, listen, lookup, seal, signer, leases, openTunnel } = doors;
  const throttledLog = throttled(options.log, clock, LINES);
  const log = throttledLog.with({ part: "boot" });
  const stop = new AbortController();
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.toReversed()) await each();
  };
  try {
    const { inventory, run: follow } = createInventory({ client, clock, entropy, log });
    const recorder = createFlightRecorder({ client, clock, entropy, log, inventory });
    const witness = machines?.sightings.beside(recorder.witness) ?? recorder.witness;
    const background = Promise.all([follow(stop.signal), recorder.run(stop.signal)]);
    closers.push(async () => {
      await recorder.flush();
      stop.abort();
      await background;
    });

    if (signer !== undefined) {
      await publishEraseKey(client, signer.keyId, signer.publicKey).catch((error: unknown) =>
        log.warn("the key of erase records could not be published", { because: Fault.from(error) }),
      );
    }

    const programs = await loadPrograms(doors.disk, programDirectories(settings), log);
    const agentImage = settings["agent-image"] || join(directory, "agent");
    const assets = await createAssets({ blobs, inventory, agentImage, clock, log });
    const reach = { endpoint: settings["api-endpoint"], port: settings["api-port"] };

    const dhcp = createDhcp({
      openUdp,
      openIcmp6,
      interfaces,
      clock,
      log,
      witness,
      journal: leases,
      mode: settings["disable-dhcp-proxy"] && settings.dhcp === "proxy" ? "off" : settings.dhcp,
      subnets,
      interfaceNames: settings["dhcp-interfaces"],
      ...reach,
      lookup,
      programFor: (architecture) => programs.programFor(architecture),
      mayBoot: () => true,
    });

    const { metrics = silentMetrics } = options;
    // What DHCP overheard is what machines say; the kernel's table is at least what answered.
    const neighbour = async (address: string): Promise<string | undefined> =>
      (await interfaces.neighbour(address)) ?? dhcp.holderOf(address);
    machines?.neighbours.connect(neighbour);
    const served = metrics.histogram("sidero_config_seconds", "Machine configurations that were sent: how long it took.", []);
    const unserved = metrics.counter("sidero_config_refused_total", "Machine configurations that were asked for and not sent.", [
      "reason",
    ]);
    const link =
      settings.siderolink && openTunnel !== undefined
        ? await openLink({
            ...options,
            ...doors,
            openTunnel,
            inventory,
            witness,
            log: throttledLog.with({ part: "link" }),
            tokenLifetime: TOKEN_LIFETIME,
          })
        : undefined;
    if (link !== undefined) closers.push(() => link.close());
    const boot = createBootHandler({
      inventory,
      assets,
      programs,
      seal,
      digest,
      clock,
      entropy,
      log,
      witness,
      metadata: {
        port: createMetadataPort(client, events),
        neighbour,
        identity: settings.identity,
        isOpen: settings["open-metadata"],
        onServed: (milliseconds) => served.observe({}, milliseconds / 1000),
        onRefused: (reason) => unserved.add({ reason }),
      },
      settings: {
        ...reach,
        diskMethod: settings["boot-from-disk-method"],
        agentArguments: settings["extra-agent-kernel-args"].flatMap(parseArguments),
        tokenLifetime: TOKEN_LIFETIME,
        ...(link && { sideroLink: link.end }),
      },
    });
    const refusals = "Calls of machines that would set up a BMC and may not, by the fault's code.";
    const refusedSetups = metrics.counter("sidero_bmc_setup_refused_total", refusals, ["reason"]);
    const agent = createAgentHandler({
      ...(machines && { orders: machines.agents }),
      ...(signer && { signer }),
      seal,
      access: settings["agent-access"],
      registry: createRegistry({ client, events, clock }),
      inventory,
      onBmcRefused: (reason) => refusedSetups.add({ reason }),
      proveBmc: createBmcProver({ openUdp, clock, entropy }),
      neighbour,
      clock,
      entropy,
      digest,
      log: throttledLog.with({ part: "agent" }),
      witness,
      settings: {
        identity: settings.identity,
        autoAccept: settings["auto-accept-servers"],
        autoBmcSetup: settings["auto-bmc-setup"],
        insecureWipe: settings["insecure-wipe"],
        rebootTimeout: settings["server-reboot-timeout"],
        ordersSince: options.ordersSince,
        bmcSecretNamespace: settings["bmc-secret-namespace"],
        negativeAddressFilter: settings["negative-address-filter"],
      },
    });
    const handler: Handler = (incoming) => {
      if (link !== undefined && LINK_PATHS.has(incoming.target)) return link.provision(incoming);
      return isRpc(incoming) ? agent.handler(incoming) : boot(incoming);
    };

    const ports: number[] = [];
    const more = addressesOf(settings["http-listen"]).map((address) => ["http-listen", address] as const);
    for (const [setting, address] of [["http-port", { host: "", port: settings["http-port"] }] as const, ...more]) {
      const listening = listen({ ...address, limits: { ...limits, perAddress: PER_ADDRESS } }, handler);
      const listener = await listening.catch((error: unknown) => Promise.reject(refusedFor(setting, error)));
      closers.push(() => listener.close());
      ports.push(listener.port);
      log.info("serving machines over HTTP", { host: listener.host, port: listener.port });
    }

    if (settings["tftp-address"] !== undefined) {
      const files = createTftpFiles({
        programs,
        script: (local) =>
          entryScript({
            base: `http://${endpointOf({ headers: {}, local: { address: local, port: reach.port } }, reach)}`,
            waitsForLink: false,
          }),
      });
      const tftp = createTftp({ openUdp, address: settings["tftp-address"], interfaces, files, clock, log, witness });
      closers.push(() => tftp.close());
      await tftp.start().catch((error: unknown) => Promise.reject(refusedFor("tftp-address", error)));
    }
    closers.push(() => dhcp.close());
    await dhcp.start();
    void agent.healBmcs();
    return { port: ports[0]!, witness, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** gRPC by its content type, and the same services for browsers and curl by their names. */
function isRpc({ headers, target }: Parameters<Handler>[0]): boolean {
  return headers["content-type"]?.startsWith("application/grpc") === true || /^\/(?:api|sidero\.[\w.]+)\.\w+\//.test(target);
}

/** Checked when the settings were read. */
function addressesOf(texts: readonly string[]): ListenAddress[] {
  return texts.flatMap((text) => {
    const read = parseListenAddress(text);
    return "value" in read && read.value !== undefined ? [read.value] : [];
  });
}

/** Ours, built with the script inside, before Debian's. */
function programDirectories(settings: Settings): string[] {
  const given = settings["boot-programs"];
  return given === "" ? [DEBIAN_PROGRAMS] : [given, DEBIAN_PROGRAMS];
}

/** What the subnets file says; none without a file. Fault `cli.settings` names the field that is wrong. */
export async function subnetsFrom(path: string): Promise<Subnet[]> {
  if (path === "") return [];
  const refused = (problem: string, cause?: unknown): Fault =>
    new Fault("cli.settings", `--dhcp-subnets: ${path}: ${problem}`, { fault: "caller", retry: "never", cause });
  try {
    const bytes = await disk.read(path);
    if (bytes !== undefined) return readSubnets(parse(Buffer.from(bytes).toString()));
  } catch (error) {
    throw refused(Fault.from(error).message.trim(), error);
  }
  throw refused("there is no such file");
}
