/** The agent API on a real port, over an API server in this process; time passes when a test says so. */
import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createAgentHandler } from "#agent/api/handler.ts";
import type { ProveBmc } from "#agent/api/bmc-prover.ts";
import type { AgentApi, AgentApiOptions } from "#agent/api/handler.ts";
import { encodeToken } from "#decide/identity/token.ts";
import type { BootToken } from "#decide/identity/token.ts";
import type { Sighting } from "#decide/sighting.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { createMemorySigner } from "#io/memory/sign.ts";
import type { Log } from "#io/log.ts";
import { digest } from "#io/node/digest.ts";
import { listen } from "#io/node/serve.ts";
import { createRecorder } from "#kube/events.ts";
import { createInventory } from "#main/inventory.ts";
import { createRegistry } from "#main/registry.ts";
import { Agent, CreateServerRequestSchema, HardwareInformationSchema } from "#proto/api_pb.js";
import type { CreateServerRequest, HardwareInformation } from "#proto/api_pb.js";
import { Machine } from "#proto/sidero/agent/v1/machine_pb.js";
import { startWorld } from "../kube/world.ts";
import type { World } from "../kube/world.ts";

export const HOUR = 3_600_000;
const LIMITS = { headers: 10_000, idle: 120_000, buffered: 1024 * 1024, stalled: 30_000 };

export interface ApiFixtureOptions {
  readonly access?: "token" | "open";
  readonly settings?: Partial<AgentApiOptions["settings"]>;
  /** Bindings never come to the cache. */
  readonly lacksBindings?: boolean;
  readonly neighbours?: Readonly<Record<string, string>>;
  /** Absent: every BMC takes every account. */
  readonly proveBmc?: ProveBmc;
}

export interface Calls {
  readonly agent: Client<typeof Agent>;
  readonly machine: Client<typeof Machine>;
}

export interface ApiFixture {
  readonly world: World;
  readonly api: AgentApi;
  readonly port: number;
  readonly sightings: Sighting[];
  /** Lines of the log. */
  readonly lines: string[];
  /** Codes of calls about BMCs that were refused. */
  readonly refusals: string[];
  token(token?: Partial<BootToken>): string;
  /** Clients that show a token; none when absent. */
  calls(token?: string): Calls;
  /** Until the caches have what was written. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export async function startApi(options: ApiFixtureOptions = {}): Promise<ApiFixture> {
  const world = await startWorld();
  const { clock, client } = world;
  const entropy = new SeededEntropy(3);
  const seal = createMemorySeal(5);
  const sightings: Sighting[] = [];
  const lines: string[] = [];
  const refusals: string[] = [];
  const log = noting(lines);
  const stop = new AbortController();
  const { inventory, run } = createInventory({ client, clock, entropy, log });
  const following = run(stop.signal);
  await world.pass(100);
  const api = createAgentHandler({
    seal,
    access: options.access ?? "token",
    registry: createRegistry({
      client,
      events: createRecorder({ client, clock, entropy, log, component: "sidero-server", instance: "test" }),
      clock,
    }),
    inventory: options.lacksBindings === true ? { ...inventory, binding: () => undefined } : inventory,
    signer: createMemorySigner(9),
    neighbour: async (address) => options.neighbours?.[address],
    onBmcRefused: (code) => void refusals.push(code),
    proveBmc: options.proveBmc ?? (async () => {}),
    digest,
    clock,
    entropy,
    log,
    witness: (sighting) => void sightings.push(sighting),
    settings: {
      autoAccept: false,
      autoBmcSetup: true,
      insecureWipe: true,
      rebootTimeout: 1_200_000,
      negativeAddressFilter: ["10.9.0.0/16"],
      // Its machines all call from where nobody can see whose address it is, unless the test says whose.
      identity: options.neighbours === undefined ? "network" : "neighbour",
      ...options.settings,
    },
  });
  const listener = await listen({ host: "127.0.0.1", port: 0, limits: LIMITS }, api.handler);
  return {
    world,
    api,
    port: listener.port,
    sightings,
    lines,
    refusals,
    token: (token = {}) =>
      encodeToken({ purpose: "agent", boot: entropy.uuid(), address: "127.0.0.1", expires: clock.now() + HOUR, ...token }, seal),
    calls(token) {
      const transport = transportTo(listener.port, token);
      return { agent: createClient(Agent, transport), machine: createClient(Machine, transport) };
    },
    async settle() {
      for (let turn = 0; turn < 5; turn++) await world.pass(50);
    },
    async stop() {
      stop.abort();
      await listener.close();
      await Promise.all([following, world.pass(10)]);
      await world.stop();
    },
  };
}

function transportTo(port: number, token: string | undefined): Transport {
  const show: Interceptor = (next) => (request) => {
    if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}`, interceptors: [show], idleConnectionTimeoutMs: 100 });
}

function noting(lines: string[]): Log {
  const note = (level: string) => (message: string, facts?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(facts ?? {})}`);
  const log: Log = { error: note("error"), warn: note("warn"), info: note("info"), debug() {}, with: () => log };
  return log;
}

type Hardware = MessageInitShape<typeof HardwareInformationSchema>;

/** A small machine. */
export const UUID = "6f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d10";
export const MAC = "52:54:00:12:34:56";

export function hardware(init: Omit<Hardware, "$typeName" | "$unknown"> = {}): HardwareInformation {
  return create(HardwareInformationSchema, {
    system: { uuid: UUID, manufacturer: "QEMU", productName: "Standard PC", serialNumber: "SN-4711" },
    compute: {
      totalCoreCount: 2,
      totalThreadCount: 4,
      processorCount: 1,
      processors: [{ productName: "EPYC", coreCount: 2, threadCount: 4 }],
    },
    memory: { totalSize: 2048, moduleCount: 1, modules: [{ size: 2048, type: "RAM", slot: "DIMM 0" }] },
    storage: {
      totalSize: 10n * 1024n ** 3n,
      deviceCount: 1,
      devices: [{ type: 1, size: 10n * 1024n ** 3n, name: "vda", serial: "D1" }],
    },
    network: {
      interfaceCount: 1,
      interfaces: [{ index: 2, name: "eth0", flags: "up|broadcast", mtu: 1500, mac: MAC, addresses: ["10.0.0.5/24"] }],
    },
    agentVersion: "0.1.0",
    ...init,
  });
}

export function registration(init: Omit<Hardware, "$typeName" | "$unknown"> = {}): CreateServerRequest {
  return create(CreateServerRequestSchema, { hardware: hardware(init), hostname: "node-1", bootMac: MAC });
}
