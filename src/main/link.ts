/** SideroLink: the tunnel, who gets in, and what comes out of it. Where there can be no tunnel the rest goes on, and installations are proven by apid. */
import { createHash } from "node:crypto";
import type { Settings } from "#cli/settings/read.ts";
import type { SideroLinkEnd } from "#decide/boot/arguments.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import { moveAddress, networkOf, readAddress } from "#decide/link/address.ts";
import { parseNetworks } from "#decide/link/filter.ts";
import { isPublicKey } from "#decide/link/provision.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { wireguardKeys } from "#io/node/wireguard-keys.ts";
import type { Seal } from "#io/seal.ts";
import type { Handler, Incoming, Listen, ListenOptions } from "#io/serve.ts";
import type { ConnectTcp, ListenTcp } from "#io/tcp.ts";
import type { OpenTunnel } from "#io/tunnel.ts";
import type { OpenUdp } from "#io/udp.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Cache } from "#kube/cache.ts";
import type { Client } from "#kube/client.ts";
import type { Recorder } from "#kube/events.ts";
import { lead } from "#kube/lease.ts";
import type { Metrics } from "#kube/metrics.ts";
import { KeptTunnel, type TunnelStatus } from "#link/kept-tunnel.ts";
import type { MachineLogs } from "#link/logs/machine-logs.ts";
import { Peers } from "#link/peers.ts";
import { createProvision, PROVISION_PATH } from "#link/provision.ts";
import { createRelay, RELAY_PATH, VIRTUAL_PORT } from "#link/relay.ts";
import { createSink } from "#link/sink.ts";
import { openLinkLogs } from "./link-logs.ts";
import { createLinkPort, installationOf } from "./link-port.ts";

export interface LinkOptions {
  readonly settings: Settings;
  readonly openTunnel: OpenTunnel;
  readonly listen: Listen;
  readonly limits: ListenOptions["limits"];
  readonly client: Client;
  readonly events: Recorder;
  readonly inventory: Inventory;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly witness: Witness;
  readonly tokenLifetime: number;
  /** Without all three there is no log receiver. */
  readonly openUdp?: OpenUdp;
  readonly tcp?: { readonly listenTcp: ListenTcp; readonly connectTcp: ConnectTcp };
  readonly logs?: MachineLogs;
  readonly metrics?: Metrics;
  /** Of this process among the replicas, one of which has the tunnel at a time; absent: it is the only one. */
  readonly identity?: string;
  /** Told how the tunnel is, whenever that changes. */
  readonly onStatus?: (status: TunnelStatus & Reach) => void;
}

/** Where machines send their events and logs, once they are in the tunnel. */
export interface Reach {
  readonly address: string;
}

export interface OpenLink {
  /** Provision, and WireGuard over gRPC ({@link LINK_PATHS}), for the port of machines. */
  readonly provision: Handler;
  /** What machines are told of it; undefined as long as nobody has opened the tunnel, as Talos would wait for it. */
  readonly end: () => SideroLinkEnd | undefined;
  close(): Promise<void>;
}

export const LINK_PATHS: ReadonlySet<string> = new Set([PROVISION_PATH, RELAY_PATH]);

const NAME = "siderolink";
const LEASE = { namespace: "kube-system", name: "sidero-siderolink" };
const MTU = 1280;
const EVENTS = 4002;
const LOGS = 4001;
/** All that machines need of this host by the tunnel. */
const OPEN = { tcp: [EVENTS, LOGS], udp: [LOGS] };
const KEY = 32;

/** Resolves when it is known whether there is a tunnel, here or on another replica. */
export async function openLink(options: LinkOptions): Promise<OpenLink> {
  const { settings, client, clock, entropy, log } = options;
  const fresh = wireguardKeys(entropy.bytes(KEY));
  const installation = await installationOf(client, {
    id: wireguardKeys(entropy.bytes(KEY)).publicKey,
    privateKey: fresh.privateKey,
    ...(settings["siderolink-guests"] && { guestToken: Buffer.from(entropy.bytes(KEY)).toString("base64url") }),
  });
  const { privateKey, publicKey } = wireguardKeys(installation.privateKey);
  const network = networkOf(installation.id, sha256);
  const port = settings["wireguard-port"];
  const count = options.metrics?.gauge("sidero_siderolink_peers", "Who is in the tunnel.", ["role"]);
  const isUp = options.metrics?.gauge("sidero_siderolink_up", "Whether machines' tunnel ends here: 1 or 0.", []);
  const known = Promise.withResolvers<void>();
  let hasBeen = false;
  const tunnel = new KeptTunnel({
    open: () =>
      options.openTunnel({ name: NAME, privateKey, address: network.server, prefixLength: 64, port, mtu: MTU, open: OPEN }),
    serve: () => serve(),
    turn: (signal, work, onOther) =>
      options.identity === undefined
        ? work(signal)
        : lead({ ...options, ...LEASE, identity: options.identity, onOther }, signal, (tenure) => work(tenure.signal)),
    clock,
    log,
    onStatus(status) {
      if ("lacks" in status) log.warn("SideroLink is more open than it should be", { because: status.lacks });
      if (status.is === "up") log.info("SideroLink", { by: status.by, network: network.cidr, port });
      if (status.is !== "down") hasBeen = true;
      isUp?.set({}, status.is === "up" ? 1 : 0);
      options.onStatus?.({ ...status, address: network.server });
      known.resolve();
    },
  });
  const stop = new AbortController();
  const peers = new Peers({
    tunnel,
    clock,
    log,
    onCount: ({ machines, guests }) => {
      count?.set({ role: "machine" }, machines);
      count?.set({ role: "guest" }, guests);
    },
  });
  const bindings = new Cache({ resource: client.for(ServerBinding), clock, entropy, log });
  bindings.onChange(({ type, key, object }) => {
    const { siderolink } = object.spec ?? {};
    const address = siderolink === undefined ? undefined : readAddress(network, siderolink.address);
    // People may write there what they like, and what WireGuard does not take would keep all others out.
    const isIn = type !== "delete" && siderolink !== undefined && address !== undefined && isPublicKey(siderolink.publicKey);
    void peers.setMachine(key, isIn ? { publicKey: siderolink.publicKey, address } : undefined);
  });
  // Only what is sent on says it.
  const isForwarded = settings["forward-machine-logs"] !== "";
  const metalMachines = new Cache({ resource: client.for(MetalMachine), clock, entropy, log });
  const ownerOf = (metalMachine: string): string | undefined =>
    metalMachines.get(metalMachine)?.metadata.ownerReferences?.find(({ kind }) => kind === "Machine")?.name;
  const ports = { ...options, port: createLinkPort(client, options.events, clock), peers };
  const sink = createSink({ ...ports, negative: parseNetworks(settings["negative-address-filter"]) });
  const nameAt = (address: string): string | undefined => peers.nameAt(address);

  /** By the tunnel alone: whoever is in it has shown its key. */
  async function serve(): Promise<{ close(): Promise<void> }> {
    const { tcp, logs, openUdp } = options;
    const listener = await options.listen({ host: network.server, port: EVENTS, limits: options.limits }, sink);
    if (logs === undefined || tcp === undefined || openUdp === undefined) return listener;
    const own = { settings, openUdp, address: network.server, port: LOGS, nameAt, logs, clock, log };
    const of = { bindingOf: (machine: string) => bindings.get(machine), ownerOf };
    const receiver = await openLinkLogs({ ...tcp, ...own, ...of }).catch(async (error: unknown) => {
      await listener.close();
      throw error;
    });
    return { close: async () => void (await Promise.all([listener.close(), receiver.close()])) };
  }

  const virtual = networkOf(installation.id, sha256, "virtual");
  const { openUdp } = options;
  const relay = openUdp && createRelay({ network, virtual, nameAt, tunnel, wireguardPort: port, openUdp, log });
  const provision = createProvision({
    ...ports,
    network,
    tunnel,
    publicKey,
    sha256,
    ...(settings["siderolink-guests"] && { guestToken: installation.guestToken! }),
    isOpen: false,
    endpoint: (incoming) => endpointOf(incoming, settings),
    virtual: (address) => `[${moveAddress(address, network, virtual) ?? ""}]:${VIRTUAL_PORT}`,
  });
  const running = Promise.all([
    bindings.run(stop.signal),
    tunnel.run(stop.signal),
    ...(isForwarded ? [metalMachines.run(stop.signal)] : []),
  ]);
  await known.promise;
  const end = { host: `[${network.server}]`, overGrpc: settings["wireguard-over-grpc"] };
  return {
    provision: (incoming) => (relay !== undefined && incoming.target === RELAY_PATH ? relay : provision)(incoming),
    end: () => (hasBeen ? end : undefined),
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

function sha256(data: Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}

/** Where the machine has just called, unless it is said. */
function endpointOf({ local }: Incoming, settings: Settings): string {
  const host = settings["wireguard-endpoint"] || settings["api-endpoint"] || (local?.address ?? "");
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${settings["wireguard-port"]}`;
}
