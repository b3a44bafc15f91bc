/** The agent against a server of connect's own parts, in one process: what it says, what it does when it is told to, what it survives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { runAgent } from "#agent/steps/agent.ts";
import { createRoad } from "#agent/steps/road.ts";
import type { AgentOptions } from "#agent/steps/session.ts";
import type { Clock } from "#io/clock.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { systemClock } from "#io/node/clock.ts";
import { HardwareInformationSchema } from "#proto/api_pb.js";
import { OrderSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import { createForeignServer, listen } from "./foreign-server.ts";

const UUID = "4c4c4544-0000-2010-8020-80c04f202020";

function rig(transport: Transport, clock: Clock = systemClock) {
  const console: string[] = [];
  const renewed: string[] = [];
  const machine = createMemoryMachine({ "/proc/sys/kernel/hostname": "node7\n", "/proc/uptime": "3.52 3.00\n" });
  machine.addressed.push(
    { interface: "lo", cidr: "127.0.0.1/8", internal: true },
    { interface: "eth0", cidr: "10.0.0.7/24", internal: false },
    { interface: "eth0", cidr: "fe80::1/64", internal: false },
    { interface: "eth0", cidr: "fd00::7/64", internal: false },
  );
  const log = createAgentLog(clock, (line) => void console.push(line));
  const hardware = { system: { uuid: UUID }, memory: { totalSize: 2048, moduleCount: 1 } };
  const options: AgentOptions = {
    transport,
    machine,
    clock,
    log,
    road: createRoad(clock, log),
    identity: {
      uuid: UUID,
      serial: "S1",
      macs: ["52:54:00:00:00:01"],
      bootMode: "uefi",
      architecture: "amd64",
      kernelVersion: "6.1.0",
    },
    version: "1.0",
    bootMac: "52:54:00:00:00:01",
    facts: { "sidero.endpoint": "10.0.0.1:8081" },
    inspect: async () => create(HardwareInformationSchema, hardware),
    renew: (token) => void renewed.push(token),
    chance: () => 0,
  };
  return { console, machine, options, hardware, renewed };
}

test("says hello, registers, reports its addresses, ships its log", async () => {
  const server = createForeignServer({ now: () => BigInt(Date.now() + 86_400_000) });
  const { machine, options } = rig(createRouterTransport(server.routes));
  const step = options.road.begin("network");
  step.done("eth0");
  void runAgent(options);
  await server.until(({ lines, steps }) => lines.length >= 4 && steps.length >= 4, 5_000);
  const [hello] = server.hellos;
  assert.deepEqual(
    [hello!.uuid, hello!.serial, hello!.macs, hello!.bootMac, hello!.bootMode, hello!.uptimeMilliseconds],
    [UUID, "S1", ["52:54:00:00:00:01"], "52:54:00:00:00:01", "uefi", 3520],
  );
  assert.equal(server.registrations[0]!.hostname, "node7");
  assert.equal(server.registrations[0]!.hardware!.memory!.totalSize, 2048);
  const addresses = server.addresses[0]!.address.map(({ type, address }) => `${type} ${address}`);
  assert.deepEqual(addresses, ["InternalIP 10.0.0.7", "InternalIP fd00::7"], "neither loopback nor link-local");
  assert.deepEqual(
    server.steps.map(({ name, state }) => `${name} ${StepState[state]}`),
    ["network STARTED", "network DONE", "register STARTED", "register DONE"],
    "also what happened before there was a server",
  );
  assert.ok(server.lines.some((line) => line.includes("network: eth0")));
  assert.ok(
    machine.ran.some((line) => line.startsWith("date -u -s @")),
    "a clock that is a day late is set",
  );
});

test("obeys orders once each, and answers every one", async () => {
  const server = createForeignServer();
  const { machine, options, renewed } = rig(createRouterTransport(server.routes));
  const off = new Promise((resolve) => {
    machine.powerOff = async () => resolve(machine.ran.push("poweroff"));
  });
  void runAgent(options);
  server.send(create(OrderSchema, { kind: { case: "keepAlive", value: { token: "another" } } }));
  server.send(create(OrderSchema, { id: "r1", kind: { case: "refresh", value: {} } }));
  server.send(create(OrderSchema, { id: "x1" }));
  server.send(create(OrderSchema, { id: "p1", kind: { case: "reboot", value: {} } }));
  server.send(create(OrderSchema, { id: "p1", kind: { case: "reboot", value: {} } }));
  server.send(create(OrderSchema, { id: "p2", kind: { case: "powerOff", value: {} } }));
  await server.until(({ steps }) => steps.some(({ order }) => order === "p2"), 8_000);
  const answers = server.steps.filter(({ order, state }) => order !== "" && state !== StepState.STARTED);
  assert.deepEqual(
    [...new Set(answers.map(({ order, state }) => `${order} ${StepState[state]}`))],
    ["r1 DONE", "x1 FAILED", "p1 DONE", "p2 DONE"],
  );
  assert.ok(answers.filter(({ order }) => order === "p1").length > 1, "told again, not done again");
  assert.equal(server.registrations.length, 2);
  assert.deepEqual(renewed, ["another"]);
  await off;
  assert.deepEqual(
    machine.ran.filter((line) => line === "reboot" || line === "poweroff"),
    ["reboot", "poweroff"],
  );
});

test("reports again when the hardware has changed, and only then", async () => {
  const server = createForeignServer();
  const clock = new VirtualClock();
  const { options, hardware } = rig(createRouterTransport(server.routes), clock);
  void runAgent(options);
  await server.until(({ addresses }) => addresses.length === 1, 5_000);
  const pass = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      server.send(create(OrderSchema, { kind: { case: "keepAlive", value: {} } }));
      await clock.advance(10_000);
    }
  };
  await pass();
  assert.equal(server.registrations.length, 1);
  hardware.memory.totalSize = 1024;
  await pass();
  assert.deepEqual(
    server.registrations.map((each) => each.hardware!.memory!.totalSize),
    [2048, 1024],
  );
});

test("upstream's server: hardware and addresses, then a countdown and a reboot", async () => {
  const server = createForeignServer({ upstream: true });
  const clock = new VirtualClock();
  const { console, machine, options } = rig(createRouterTransport(server.routes), clock);
  const run = runAgent(options);
  await server.until(({ addresses }) => addresses.length === 1, 5_000);
  assert.equal(server.addresses[0]!.uuid, UUID);
  for (let i = 0; i < 12; i++) await clock.advance(1_000);
  await run;
  assert.equal(console.filter((line) => line.includes("rebooting in")).length, 10);
  assert.equal(machine.ran.at(-1), "reboot");
});

test("a refused token: says so, keeps asking, and gets another one by rebooting after ten minutes", async () => {
  const clock = new VirtualClock();
  const transport = createRouterTransport(() => {}, {
    transport: {
      interceptors: [
        () => () => {
          throw new ConnectError("the token has expired", Code.Unauthenticated);
        },
      ],
    },
  });
  const { console, machine, options } = rig(transport, clock);
  machine.answer = () => ({ status: 0, output: "[ 1.0] eth0: link is down\n" });
  const run = runAgent(options);
  for (let i = 0; i < 590; i++) await clock.advance(1_000);
  assert.ok(!machine.ran.includes("reboot"));
  assert.ok(console.some((line) => line.includes("the token has expired; trying again in")));
  assert.ok(console.some((line) => line.includes("kernel: [ 1.0] eth0: link is down")));
  for (let i = 0; i < 60; i++) await clock.advance(1_000);
  await run;
  assert.equal(machine.ran.at(-1), "reboot");
});

test("over real sockets: survives a server that goes away and comes back, its log without gaps", async () => {
  const server = createForeignServer();
  const first = await listen(server);
  const port = first.port;
  const { options } = rig(createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  void runAgent(options);
  await server.until(({ addresses }) => addresses.length === 1, 10_000);
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const second = await listen(server, "127.0.0.1", port);
  await server.until(({ hellos, addresses }) => hellos.length >= 2 && addresses.length >= 2, 20_000);
  await server.until(({ lines }) => lines.some((line) => line.includes("trying again")), 10_000);
  assert.ok(!server.lines.includes(undefined as unknown as string));
  await second.close();
});

test("a server that falls silent is left", async () => {
  const server = createForeignServer();
  const clock = new VirtualClock();
  const { options } = rig(createRouterTransport(server.routes), clock);
  void runAgent(options);
  await server.until(({ addresses }) => addresses.length === 1, 5_000);
  for (let i = 0; i < 8; i++) await clock.advance(10_000);
  await server.until(({ hellos }) => hellos.length >= 2, 5_000);
});
