/** Logs from machines' connections to `sidero logs` and to whom they are sent on, on doors in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { logs as printLogs } from "#cli/logs.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryLogFiles } from "#io/memory/log-files.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { MemoryTcp } from "#io/memory/tcp.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import type { Incoming } from "#io/serve.ts";
import type { TcpConnection } from "#io/tcp.ts";
import { createForwarder } from "#link/logs/forward.ts";
import { MachineLogs } from "#link/logs/machine-logs.ts";
import { openLogReceiver } from "#link/logs/receiver.ts";
import { createLogRoute } from "#main/log-route.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld } from "../kube/world.ts";

const SERVER = "fd00::1";
const BUDGET = { file: 1024 * 1024, machine: 16 * 1024 * 1024, total: 64 * 1024 * 1024 };
const KMSG = {
  clock: 12,
  facility: "kern",
  msg: "hello\n",
  priority: 6,
  seq: 8,
  "talos-level": "info",
  "talos-time": "2026-01-02T03:04:05.123456789Z",
};

async function start() {
  const clock = new VirtualClock();
  const files = new MemoryLogFiles();
  const logs = await MachineLogs.open({ files, clock, log: silent, budget: BUDGET });
  const tcp = new MemoryTcp();
  const network = new MemoryNetwork();
  const [host, peer] = [network.host(), network.host()];
  host.connect("wg", "siderolink", [`${SERVER}/64`]);
  peer.connect("wg", "siderolink", ["fd00::a/64", "fd00::b/64"]);
  const machines = new Map([
    ["fd00::a", "machine-a"],
    ["fd00::b", "machine-b"],
  ]);
  const forwarded: string[] = [];
  const receiver = await openLogReceiver({
    listenTcp: tcp.listen,
    openUdp: host.openUdp,
    address: SERVER,
    port: 4001,
    nameAt: (address) => machines.get(address),
    logs,
    forward: (machine, { message }) => void forwarded.push(`${machine}: ${message}`),
    clock,
    log: silent,
  });
  const dial = async (from: string): Promise<TcpConnection & { isGone: () => boolean }> => {
    let isClosed = false;
    const events = { data() {}, closed: () => void (isClosed = true) };
    const connection = await tcp.from(from)({ host: SERVER, port: 4001 }, events);
    return Object.assign(connection, { isGone: () => isClosed });
  };
  const udp = await peer.openUdp({ family: 6, host: "fd00::b", port: 0 }, () => {});
  const messages = async (machine: string): Promise<string[]> => {
    await clock.advance(2000);
    const pieces: Uint8Array[] = [];
    for await (const piece of logs.read(machine)) pieces.push(piece);
    const lines = Buffer.concat(pieces).toString().trim().split("\n");
    return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { msg: string }).msg);
  };
  const close = async (): Promise<void> => {
    const closing = receiver.close();
    await clock.advance(1_000_000);
    await closing;
  };
  return { clock, files, logs, machines, receiver, forwarded, dial, udp, messages, close };
}

const line = (message: string): Buffer => Buffer.from(`${JSON.stringify({ ...KMSG, msg: message })}\n`);

test("by TCP in any pieces and by UDP, each to its machine, with garbage left out", async () => {
  const { dial, udp, messages, receiver, forwarded, files, close } = await start();
  const a = await dial("fd00::a");
  const bytes = Buffer.concat([
    line("one"),
    Buffer.from("garbage\n\u0000\u00ff{}\n[1]\n"),
    line("two"),
    Buffer.from(`{"msg":"${"x".repeat(70_000)}"}\n`),
    line("three"),
  ]);
  for (let at = 0; at < bytes.length; at += 1000) a.write(bytes.subarray(at, at + 1000));
  await udp.send(line("datagram"), { address: SERVER, port: 4001 });
  await udp.send(Buffer.from("garbage"), { address: SERVER, port: 4001 });
  assert.deepEqual(await messages("machine-a"), ["one", "two", "three"]);
  assert.deepEqual(await messages("machine-b"), ["datagram"]);
  assert.equal(receiver.dropped, 5);
  assert.deepEqual(forwarded.toSorted(), ["machine-a: one", "machine-a: three", "machine-a: two", "machine-b: datagram"]);
  const kept = JSON.parse(Buffer.from(files.files.get("machine-b/1")!).toString()) as Record<string, unknown>;
  const { received, ...rest } = kept;
  assert.match(String(received), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(rest, { ...KMSG, msg: "datagram" });
  await close();
});

test("who is in the tunnel no more is not heard: not when he connects, nor on a connection that is open", async () => {
  const { dial, machines, messages, close } = await start();
  assert.ok((await dial("fd00::c")).isGone());
  const a = await dial("fd00::a");
  a.write(line("mine"));
  assert.deepEqual(await messages("machine-a"), ["mine"]);
  machines.delete("fd00::a");
  a.write(line("not any more"));
  assert.deepEqual(await messages("machine-a"), ["mine"]);
  assert.ok(a.isGone());
  await close();
});

test("a flood is heard at its share and loses nothing by TCP; others are heard meanwhile; a fifth connection is cut", async () => {
  const { dial, messages, clock, logs, close } = await start();
  const open = [];
  for (let i = 0; i < 5; i++) open.push(await dial("fd00::a"));
  assert.deepEqual(
    open.map((each) => each.isGone()),
    [false, false, false, false, true],
  );
  const [flood] = open;
  const sent = 6 * 1024;
  let isFull = false;
  for (let i = 0; i < sent; i++) isFull = !flood!.write(line(`${i} ${"f".repeat(1024)}`)) || isFull;
  assert.ok(isFull, "it is told to wait");
  (await dial("fd00::b")).write(line("b"));
  assert.deepEqual(await messages("machine-b"), ["b"]);
  const early = (await messages("machine-a")).length;
  assert.ok(early > 0 && early < sent, String(early));
  for (let i = 0; i < 60; i++) await clock.advance(1000);
  const all = await messages("machine-a");
  assert.equal(all.length, sent);
  assert.ok(all.every((message, i) => message.startsWith(`${i} `)));
  assert.equal(logs.lost, 0);
  await close();
});

test("sidero logs prints what is kept, goes on with what comes, and does not let a machine steer the terminal", async () => {
  const { dial, messages, clock, logs, close } = await start();
  const world = await startWorld();
  await world.client.for(Server).create({ metadata: { name: "machine-a" }, spec: { accepted: true, hostname: "rack-1" } });
  const a = await dial("fd00::a");
  const service = { msg: "up\u001b[2J", "talos-service": "etcd", "talos-level": "error", "talos-time": "2026-01-02T03:04:06Z" };
  a.write(Buffer.concat([line("first"), line("second"), Buffer.from(`${JSON.stringify(service)}\n`)]));
  await messages("machine-a");

  const route = createLogRoute(logs);
  const handler = (incoming: Incoming) => {
    const url = new URL(incoming.target, "http://x");
    return route({ ...incoming, user: { name: "admin", groups: [] }, path: url.pathname, query: url.searchParams, warnings: [] });
  };
  const transport = createMemoryTransport(handler);
  const stop = new AbortController();
  const stream = async function* (target: string) {
    const { body } = await transport.request({ method: "GET", target, signal: stop.signal });
    yield* body;
  };
  const printed: string[] = [];
  const terminal = {
    client: world.client,
    print: (text: string) => void printed.push(text),
    style: (how: string, text: string) => `<${how}>${text}`,
    now: () => 0,
  };
  await printLogs("rack-1", { follow: false, json: false, lines: 2 }, terminal, stream);
  assert.deepEqual(printed, ["2026-01-02T03:04:05.123Z kern  second", "<red>2026-01-02T03:04:06Z etcd error  up\ufffd[2J"]);

  printed.length = 0;
  const following = printLogs("machine-a", { follow: true, json: true }, terminal, stream);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  a.write(line("third"));
  await clock.advance(1000);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    printed.map((text) => (JSON.parse(text) as { msg: string }).msg),
    ["first", "second", "up\u001b[2J", "third"],
  );
  stop.abort(new Fault("test.stopped", "stopped", { fault: "caller", retry: "never" }));
  await following.catch(() => {});
  const nothing = printLogs("00000000-0000-4000-8000-000000000001", { follow: false, json: false }, terminal, (target) => {
    const { body } = { body: transport.request({ method: "GET", target }) };
    return (async function* () {
      yield* (await body).body;
    })();
  });
  await assert.rejects(nothing, (fault) => Fault.is(fault, "cli.not-found") && /has sent no log/.test(fault.message));
  await close();
  await world.stop();
});

test("logs are sent on with what is known of the machine; who reads too slowly, or is away, costs a bounded queue", async () => {
  const clock = new VirtualClock();
  const tcp = new MemoryTcp();
  const record = {
    message: "m",
    facility: "kern",
    tags: [
      ["rack", "4"],
      ["server_uuid", "forged"],
    ] as const,
  };
  const sourceOf = (machine: string) => ({ cluster: "c", namespace: "n", metal_machine: `${machine}-x` });
  const forwarder = createForwarder({
    connect: tcp.from("fd00::1"),
    to: { host: "logs", port: 5044 },
    sourceOf,
    clock,
    log: silent,
  });
  forwarder.send("a", record);
  await clock.advance(500);
  let text = "";
  let connection: TcpConnection | undefined;
  const listener = await tcp.listen({ host: "logs", port: 5044, connections: 9, perAddress: 9 }, (accepted) => {
    connection = accepted;
    return { data: (bytes) => void (text += Buffer.from(bytes).toString()), closed() {} };
  });
  await clock.advance(5000);
  const expected = {
    server_uuid: "a",
    cluster: "c",
    namespace: "n",
    metal_machine: "a-x",
    msg: "m",
    facility: "kern",
    rack: "4",
  };
  assert.deepEqual(JSON.parse(text), expected);
  connection!.pause();
  const long = { ...record, message: "l".repeat(50_000) };
  for (let i = 0; i < 200; i++) forwarder.send("a", long);
  await clock.advance(10);
  assert.ok(forwarder.lost > 100 && forwarder.lost < 200, String(forwarder.lost));
  connection!.resume();
  await clock.advance(10);
  assert.equal(text.trim().split("\n").length, 201 - forwarder.lost);
  connection!.destroy();
  forwarder.send("b", record);
  await clock.advance(10_000);
  assert.match(text, /"server_uuid":"b"/, "it connects again");
  const closing = forwarder.close();
  await clock.advance(100_000);
  await closing;
  await listener.close();
});
