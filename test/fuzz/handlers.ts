/** What answers machines over HTTP: must answer anything, and never as if the fault were ours. */
import { ReportWipeRequestSchema } from "#proto/sidero/agent/v1/machine_pb.js";
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { createAgentHandler } from "#agent/api/handler.ts";
import { createBootHandler } from "#boot/http/handler.ts";
import { programsOf } from "#boot/programs.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import { Logbook } from "#decide/flight/logbook.ts";
import type { Sighting } from "#decide/sighting.ts";
import type { Log } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { CreateServerRequestSchema, ReconcileServerAddressesRequestSchema, UpdateBMCInfoRequestSchema } from "#proto/api_pb.js";
import { registration, UUID } from "../agent/api-fixture.ts";
import { latin, type Parser } from "./parser.ts";

const servers = new Map<string, Server>();
const inventory: Inventory = {
  isComplete: true,
  server: (name) => servers.get(name),
  serversByMac: () => [],
  binding: () => undefined,
  serverClass: () => undefined,
  environment: () => undefined,
};
const clock = new VirtualClock();
const entropy = new SeededEntropy(1);
const seal = createMemorySeal(1);
/** What is logged as an error is a defect of ours. */
const log: Log = {
  error: (message, facts) => assert.fail(`${message} ${inspect(facts)}`),
  warn() {},
  info() {},
  debug() {},
  with: () => log,
};
/** What is seen of these requests goes where it always goes. */
const logbook = new Logbook({ known: inventory, passing: 10, arriving: 10 });
const witness = (sighting: Sighting): void => void logbook.note(sighting);

const file = Buffer.from("0123456789");
const blob = {
  sha512: "ab".repeat(64),
  size: file.length,
  read: async function* (start: number, end: number) {
    yield file.subarray(start, end);
  },
};
const bootHandler = createBootHandler({
  inventory,
  assets: { find: async (environment) => (environment === "default" || environment === "agent-amd64" ? blob : undefined) },
  programs: programsOf(new Map([["snp.efi", file]])),
  seal,
  digest,
  clock,
  entropy,
  log,
  witness,
  metadata: {
    port: {
      binding: async () => undefined,
      metalMachine: async () => undefined,
      machine: async () => undefined,
      secret: async () => undefined,
      record: async () => {},
      event() {},
    },
    neighbour: async () => undefined,
    identity: "neighbour",
    isOpen: false,
    onServed() {},
    onRefused() {},
  },
  settings: { endpoint: "", port: 8081, diskMethod: "ipxe-exit", agentArguments: [], tokenLifetime: 1000 },
});

async function ask(
  handler: Handler,
  incoming: Pick<Incoming, "method" | "target" | "headers">,
  body: Uint8Array,
): Promise<Outgoing> {
  const stop = new AbortController();
  const answer = await handler({
    ...incoming,
    peer: { address: "10.0.0.7" },
    body: async () => Buffer.from(body),
    signal: stop.signal,
  });
  stop.abort();
  assert.ok(Number.isInteger(answer.status) && answer.status >= 200 && answer.status < 600, `status ${answer.status}`);
  // Upstream's answer to whoever asks for a configuration without a UUID; another 500 is logged as an error, which fails.
  assert.ok(answer.status !== 500 || incoming.target.includes("/configdata"), "a fault of ours");
  for (const [name, value] of Object.entries(answer.headers))
    assert.ok(!/[\r\n\0]/.test(`${name}${String(value)}`), `header ${name}`);
  return answer;
}

/** Method and target in the first line, a header in each line after it. */
const http: Parser = {
  name: "http",
  seeds: [
    "GET /ipxe?uuid=6f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d10&mac=52-54-00-12-34-56&domain=&hostname=h&serial=s&arch=x86_64&platform=efi\nhost: 10.0.0.1:8081",
    "GET /boot.ipxe\nhost: [fd77::1]:8081",
    'GET /env/default/vmlinuz\nrange: bytes=2-5\nif-none-match: "x"',
    "HEAD /env/agent-amd64/initramfs.xz\nif-modified-since: Sat, 29 Oct 1994 19:43:31 GMT",
    "GET /tftp/snp.efi\nrange: bytes=-3,1-2",
    "GET /configdata?uuid=x",
    "GET /configdata?uuid=6f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d10&token=wQEBAAAA",
    "GET /cloud/wQEBAAAA/nocloud/user-data",
    "POST /env/%2e%2e/vmlinuz",
  ].map(latin),
  words: [
    "..",
    "%2e%2e/",
    "%00",
    "%",
    "//",
    "?",
    "&mac=",
    "&token=",
    "uuid=",
    "\nrange: bytes=",
    "0-",
    "99999999999999999999",
    "\nhost: ",
    "#",
    "%ff",
    "${",
    "&arch=arm64",
    "=",
    ",",
  ].map(latin),
  longest: 8192,
  async run(input) {
    const [line = "", ...rest] = Buffer.from(input).toString("latin1").split("\n");
    const [method = "", ...target] = line.split(" ");
    const headers = Object.fromEntries(
      rest.map((text) => text.split(/: ?/, 2)).map(([name = "", value = ""]) => [name.toLowerCase(), value]),
    );
    await ask(bootHandler, { method, target: `/${target.join(" ").replace(/^\//, "")}`, headers }, new Uint8Array());
  },
};

const METHODS = [
  ...["CreateServer", "MarkServerAsWiped", "ReconcileServerAddresses", "Heartbeat", "UpdateBMCInfo"].map(
    (name) => `api.Agent/${name}`,
  ),
  ...["BeginWipe", "ReportWipe"].map((name) => `sidero.agent.v1.Machine/${name}`),
];
const written: string[] = [];
const { handler: agentHandler } = createAgentHandler({
  seal,
  access: "open",
  registry: {
    binding: async () => undefined,
    server: async (name) => servers.get(name),
    create: async ({ name, spec }) => {
      written.push(name);
      return { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name }, spec };
    },
    edit: async () => undefined,
    secret: async () => undefined,
    pendingAccounts: async () => [],
    putSecret: async () => {},
    event() {},
  },
  inventory,
  neighbour: async () => undefined,
  digest,
  clock,
  entropy,
  log,
  witness,
  settings: { autoAccept: false, autoBmcSetup: true, insecureWipe: false, rebootTimeout: 60_000, negativeAddressFilter: [] },
});

/** Which method in the first byte, how it is framed in the second, then the message. */
const agent: Parser = {
  name: "agent",
  seeds: [
    Buffer.concat([Buffer.of(0, 0), toBinary(CreateServerRequestSchema, registration())]),
    Buffer.concat([
      Buffer.of(2, 0),
      toBinary(
        ReconcileServerAddressesRequestSchema,
        create(ReconcileServerAddressesRequestSchema, { uuid: UUID, address: [{ type: "InternalIP", address: "10.0.0.7" }] }),
      ),
    ]),
    Buffer.concat([
      Buffer.of(4, 1),
      toBinary(
        UpdateBMCInfoRequestSchema,
        create(UpdateBMCInfoRequestSchema, { uuid: UUID, bmcInfo: { ip: "10.0.0.8", port: 623, user: "u", pass: "p" } }),
      ),
    ]),
    Buffer.concat([
      Buffer.of(6, 0),
      toBinary(
        ReportWipeRequestSchema,
        create(ReportWipeRequestSchema, { order: "w1", disks: [{ name: "sda", state: 4, percent: 100, verified: true }] }),
      ),
    ]),
    Buffer.from(`\x00\x02{"hardware":{"system":{"uuid":"${UUID}"}}}`),
  ],
  words: [
    latin(UUID),
    ...["ffffffffff01", "0a00", "0b", "0c", "08ffffffffffffffff7f", "1a02c328", "7b7d", "5b5d"].map((text) =>
      Buffer.from(text, "hex"),
    ),
  ],
  longest: 65_536,
  async run(input) {
    written.length = 0;
    const [method = 0, framing = 0] = input;
    const message = input.subarray(2);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const type = ["application/grpc", "application/proto", "application/json"][framing % 3]!;
    const body = framing % 3 === 0 && framing < 128 ? Buffer.concat([head, message]) : message;
    const target = `/${METHODS[method % METHODS.length]}`;
    const answer = await ask(agentHandler, { method: "POST", target, headers: { "content-type": type, te: "trailers" } }, body);
    if (!("open" in answer.body)) return;
    await new Promise<void>((resolve) => {
      const end = (trailers: Readonly<Record<string, string | string[]>> = {}): void => {
        // INTERNAL and UNKNOWN: somebody threw what nobody expected.
        assert.ok(!["2", "13"].includes(String(trailers["grpc-status"] ?? "")), JSON.stringify(trailers));
        resolve();
      };
      (answer.body as { open(sink: object): void }).open({ write() {}, full: false, onDrain() {}, end });
    });
    assert.ok(
      written.every((name) => /^[0-9a-f-]{36}$/.test(name)),
      written.join(),
    );
  },
};

export const handlers: readonly Parser[] = [http, agent];
