/** SideroLink on a whole API in memory; the tunnel is a list of peers, and machines call from whatever address they say. */
import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { encodeToken, type BootToken } from "#decide/identity/token.ts";
import type { Sighting } from "#decide/sighting.ts";
import { sleep } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import type { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import { wireguardKeys } from "#io/node/wireguard-keys.ts";
import type { Handler, Sink } from "#io/serve.ts";
import type { OpenTunnel, TunnelPeer } from "#io/tunnel.ts";
import { MemoryTunnel } from "#io/memory/tunnel.ts";
import type { TunnelStatus } from "#link/kept-tunnel.ts";
import { readSettings } from "#cli/settings/read.ts";
import { families } from "#kinds/index.ts";
import { type Client, createClient } from "#kube/client.ts";
import { createRecorder, KubeEvent } from "#kube/events.ts";
import { createInventory } from "#main/inventory.ts";
import { openLink } from "#main/link.ts";
import { toCrd } from "#schema/crd.ts";
import { toExtension } from "#schema/family.ts";
import { Fault } from "#std/fault.ts";
import { EventRequestSchema, EventResponseSchema } from "#proto/siderolink/events_pb.js";
import { ProvisionRequestSchema, ProvisionResponseSchema } from "#proto/siderolink/provision_pb.js";
import type { ProvisionResponse } from "#proto/siderolink/provision_pb.js";
import { startFixture } from "../apiserver/fixture.ts";
import type { HeldMachine } from "../metadata/held.ts";

const LIFETIME = 3_600_000;

export interface ProvisionParts {
  readonly nodePublicKey: string;
  readonly joinToken?: string;
  readonly nodeUniqueToken?: string;
}

export interface World {
  readonly clock: VirtualClock;
  readonly client: Client;
  readonly sightings: Sighting[];
  /** As WireGuard has been told last. */
  readonly peers: () => readonly TunnelPeer[];
  readonly handshakes: Map<string, number>;
  /** A token of a boot of this machine. */
  token(machine: HeldMachine, parts?: Partial<BootToken>): string;
  provision(machine: HeldMachine, request: ProvisionParts): Promise<ProvisionResponse>;
  /** By the tunnel, from this address. */
  /** One more; its tunnel cannot be opened while `problem` says why. */
  replica(identity: string, problem?: () => string | undefined): Promise<Replica>;
  publish(from: string, request: MessageInitShape<typeof EventRequestSchema>): Promise<void>;
  events(): Promise<string[]>;
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** One process of several. */
export interface Replica {
  /** As its WireGuard has been told last; undefined while the tunnel does not end there. */
  readonly peers: () => readonly TunnelPeer[] | undefined;
  readonly status: () => TunnelStatus;
  /** Whether machines that boot are told of SideroLink. */
  readonly isTold: () => boolean;
  provision(machine: HeldMachine, request: ProvisionParts): Promise<ProvisionResponse>;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** There is nobody yet: {@link World.replica}. */
  readonly replicas?: boolean;
  /** Machines that belong to no cluster may join. */
  readonly guests?: boolean;
}

export async function startWorld({ replicas = false, guests = false }: WorldOptions = {}): Promise<World> {
  const fixture = await startFixture({
    crds: families.map(toCrd),
    extensions: new Map(families.map((family) => [`${family.storage.group}/${family.storage.kind}`, toExtension(family)])),
  });
  const { clock } = fixture;
  const ports = { clock, entropy: new SeededEntropy(5), log: silent };
  const client = createClient({ ...ports, transport: fixture.transport });
  const { inventory, run } = createInventory({ ...ports, client });
  const stop = new AbortController();
  const following = run(stop.signal);
  const sightings: Sighting[] = [];
  const handshakes = new Map<string, number>();
  const seal = createMemorySeal(1);
  let peers: readonly TunnelPeer[] = [];
  let sink: Handler | undefined;
  const common = {
    ...ports,
    settings: readSettings("up", { env: {}, flags: { data: "/data", siderolink: "true", "siderolink-guests": `${guests}` } }),
    listen: async ({ host = "", port = 0 }: { host?: string; port?: number }, handler: Handler) => {
      sink = handler;
      return { host, port, close: async () => {} };
    },
    limits: { headers: 1, idle: 1, buffered: 1, stalled: 1 },
    client,
    events: createRecorder({ ...ports, client, component: "sidero", instance: "test" }),
    inventory,
    seal,
    digest,
    witness: (sighting: Sighting) => void sightings.push(sighting),
    tokenLifetime: LIFETIME,
  };
  const openTunnel: OpenTunnel = async () => ({
    by: "memory",
    setPeers: async (all) => void (peers = all),
    handshakes: async () => handshakes,
    close: async () => {},
  });
  const link = replicas ? undefined : await openLink({ ...common, openTunnel });
  const replica = async (identity: string, problem = (): string | undefined => undefined): Promise<Replica> => {
    const tunnel = new MemoryTunnel(clock);
    let status: TunnelStatus | undefined;
    const opening = openLink({
      ...common,
      identity,
      openTunnel: (options) => {
        tunnel.problem = problem();
        return tunnel.open(options);
      },
      onStatus: (now) => void (status = now),
    });
    await settle();
    const own = await opening;
    return {
      peers: () => tunnel.options && [...tunnel.peers].map(([publicKey, address]) => ({ publicKey, address })),
      status: () => status!,
      isTold: () => own.end() !== undefined,
      provision: ({ uuid, address }, request) =>
        call(own.provision, ProvisionRequestSchema, ProvisionResponseSchema, { nodeUuid: uuid, ...request }, address),
      async close() {
        const closing = own.close();
        await settle();
        await closing;
      },
    };
  };
  const settle = async (): Promise<void> => {
    await fixture.idle();
    for (let passed = 0; passed < 300; passed += 10) await clock.advance(10);
    await fixture.idle();
  };
  await settle();
  return {
    clock,
    client,
    sightings,
    peers: () => peers,
    handshakes,
    token: ({ uuid, mac, address }, parts = {}) =>
      encodeToken(
        { purpose: "link", boot: uuidOf(`${uuid}/1`), uuid, mac, address, expires: clock.now() + LIFETIME, ...parts },
        seal,
      ),
    provision: ({ uuid, address }, request) =>
      call(link!.provision, ProvisionRequestSchema, ProvisionResponseSchema, { nodeUuid: uuid, ...request }, address),
    replica,
    async publish(from, request) {
      await call(sink!, EventRequestSchema, EventResponseSchema, request, from, "/events.EventSinkService/Publish");
    },
    async events() {
      await settle();
      const { items } = await client.for(KubeEvent).listAll();
      return items.map(({ reason, message }) => `${reason}: ${message}`);
    },
    settle,
    async stop() {
      const closing = link?.close();
      stop.abort(new Fault("test.stopped", "stopped", { fault: "world", retry: "never" }));
      await Promise.all([closing, following, clock.advance(0), sleep(clock, 0)]);
      await fixture.stop();
    },
  };
}

/** What a call that was refused is thrown as. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** As gRPC over HTTP/2 does it. */
export async function call<I extends DescMessage, O extends DescMessage>(
  handler: Handler,
  input: I,
  output: O,
  request: MessageInitShape<I>,
  address: string,
  target = "/sidero.link.ProvisionService/Provision",
): Promise<MessageShape<O>> {
  const message = Buffer.from(toBinary(input, create(input, request)));
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const answer = await handler({
    method: "POST",
    target,
    headers: { "content-type": "application/grpc" },
    peer: { address },
    local: { address: "10.0.0.1", port: 8081 },
    body: async () => Buffer.concat([envelope, message]),
    signal: new AbortController().signal,
  });
  let trailers: Readonly<Record<string, string | string[]>> = answer.headers;
  const pieces: Buffer[] = [];
  if ("open" in answer.body) {
    const sink: Sink = {
      write: (bytes) => void pieces.push(bytes),
      full: false,
      onDrain: () => {},
      end: (last = {}) => void (trailers = last),
    };
    answer.body.open(sink);
  }
  const code = Number(trailers["grpc-status"]);
  if (code !== 0) throw new Refused(code, decodeURIComponent(String(trailers["grpc-message"])));
  return fromBinary(output, Buffer.concat(pieces).subarray(5));
}

export function keyOf(seed: string): string {
  return wireguardKeys(createHash("sha256").update(seed).digest()).publicKey;
}

export function uuidOf(seed: string): string {
  const hex = digest(seed);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
