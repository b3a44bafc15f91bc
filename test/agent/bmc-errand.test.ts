/** When the agent sets the BMC up, and when it does so again: against services of connect's own, and a BMC by its bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { runAgent } from "#agent/steps/agent.ts";
import { createBmcErrand } from "#agent/steps/bmc/errand.ts";
import type { BmcErrand } from "#agent/steps/bmc/errand.ts";
import { createRoad } from "#agent/steps/road.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryIpmiDevice } from "#io/memory/ipmi-device.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { Agent, HardwareInformationSchema } from "#proto/api_pb.js";
import type { UpdateBMCInfoRequest } from "#proto/api_pb.js";
import { BmcStanding, Machine, OrderSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { OfferBmcRequest, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { BmcModel } from "./bmc-model.ts";
import { createForeignServer } from "./foreign-server.ts";

const UUID = "4c4c4544-0000-2010-8020-80c04f202020";
const CALLER = { boot: "b1", uuid: UUID };

interface Told {
  readonly offers: OfferBmcRequest[];
  readonly updates: UpdateBMCInfoRequest[];
}

function rig(problem: () => ConnectError | undefined, withBmc = true) {
  const clock = new VirtualClock();
  const told: Told = { offers: [], updates: [] };
  const bmc = new BmcModel();
  const transport = createRouterTransport((router) => {
    router.service(Machine, {
      offerBmc: (request) => {
        told.offers.push(request);
        const error = problem();
        if (error !== undefined) throw error;
        return { standing: BmcStanding.NONE };
      },
      prepareBmc: () => ({}),
    });
    router.service(Agent, {
      updateBMCInfo: (request) => {
        told.updates.push(request);
        return {};
      },
    });
  });
  const log = createAgentLog(clock, () => {});
  const road = createRoad(clock, log);
  const entropy = new SeededEntropy(1);
  const doors = {
    open: async () => createMemoryIpmiDevice(bmc.answer),
    bytes: (length: number) => entropy.bytes(length),
  };
  const errand: BmcErrand = createBmcErrand({ doors: withBmc ? doors : undefined, transport, clock, log, road });
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      await clock.advance(1000);
      // Connect's in-memory calls take turns of the event loop.
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
  };
  const steps = (): string[] =>
    road.pending(100).map(({ name, state, order }) => [name, StepState[state], order].join(" ").trim());
  return { errand, pass, steps, told, bmc, road };
}

test("asked for by registration, it is tried until it works, and more seldom each time", async () => {
  let failures = 3;
  const { errand, pass, steps, told, bmc } = rig(() =>
    failures-- > 0 ? new ConnectError("the server is starting", Code.Unavailable) : undefined,
  );
  errand.begin(() => CALLER);
  errand.begin(() => CALLER);
  await pass(10);
  assert.equal(told.offers.length, 1, "one errand, however often it is asked for");
  await pass(120);
  assert.deepEqual(steps(), [
    ...Array.from({ length: 3 }, () => ["bmc STARTED", "bmc FAILED"]).flat(),
    "bmc STARTED",
    "bmc DONE",
  ]);
  assert.equal(told.offers.length, 4);
  const { bmcInfo } = told.updates[0]!;
  assert.deepEqual([bmcInfo!.ip, bmcInfo!.port, bmcInfo!.user], ["10.0.0.9", 623, "sidero"]);
  bmc.login({ address: "10.0.0.9", user: "sidero", password: bmcInfo!.pass });
  await pass(1000);
  assert.equal(told.offers.length, 4, "then no more");
});

test("a server that does not want it is not asked again", async () => {
  const { errand, pass, steps, told } = rig(() => new ConnectError("the Server is not accepted", Code.FailedPrecondition));
  errand.begin(() => CALLER);
  await pass(1000);
  assert.deepEqual([steps(), told.offers.length], [["bmc STARTED", "bmc FAILED"], 1]);
});

test("an order is carried out once, also when it comes again meanwhile", async () => {
  const { errand, pass, steps, told } = rig(() => undefined);
  const both = Promise.all([errand.obey(() => CALLER, "o1", true), errand.obey(() => CALLER, "o1", true)]);
  await pass(10);
  const [first, second] = await both;
  assert.equal(first, second);
  assert.equal(first.state, StepState.DONE);
  assert.deepEqual(steps(), ["bmc STARTED o1", "bmc DONE o1"]);
  assert.deepEqual([told.offers.length, told.offers[0]!.order, told.offers[0]!.boot], [1, "o1", "b1"]);
  assert.match(told.offers[0]!.description, /^Supermicro, firmware 4\.40, channel 1 at 10\.0\.0\.9 \(02:00:00:00:00:01\)$/);
});

test("an agent that cannot speak to BMCs says so", async () => {
  const { errand, pass } = rig(() => undefined, false);
  const step = errand.obey(() => CALLER, "o1", false);
  await pass(1);
  assert.deepEqual([(await step).state, (await step).text], [StepState.FAILED, "this agent cannot speak to BMCs"]);
});

function agentOf(server: ReturnType<typeof createForeignServer>, clock: VirtualClock, bmc: BmcModel) {
  const machine = createMemoryMachine({ "/proc/sys/kernel/hostname": "n\n", "/proc/uptime": "3.5 3.0\n" });
  const log = createAgentLog(clock, () => {});
  const entropy = new SeededEntropy(2);
  const run = runAgent({
    transport: createRouterTransport(server.routes),
    machine,
    clock,
    log,
    road: createRoad(clock, log),
    identity: { uuid: UUID, serial: "S", macs: [], bootMode: "bios", architecture: "amd64", kernelVersion: "6.1" },
    version: "1",
    bootMac: "52:54:00:00:00:01",
    facts: {},
    inspect: async () => create(HardwareInformationSchema, { system: { uuid: UUID } }),
    renew: () => {},
    chance: () => 0,
    bmc: { open: async () => createMemoryIpmiDevice(bmc.answer), bytes: (length) => entropy.bytes(length) },
  });
  return { machine, run };
}

const during = async (clock: VirtualClock, wanted: Promise<unknown>): Promise<void> => {
  let isOver = false;
  const over = (): void => void (isOver = true);
  wanted.then(over, over);
  for (let i = 0; i < 2000 && !isOver; i++) await clock.advance(100);
  await wanted;
};

test("the whole agent: registration asks, and so does an order", async () => {
  const [clock, bmc] = [new VirtualClock(), new BmcModel()];
  const server = createForeignServer({ setupBmc: true });
  void agentOf(server, clock, bmc).run;
  await during(
    clock,
    server.until(({ bmcs }) => bmcs.length === 1, 20_000),
  );
  server.send(create(OrderSchema, { id: "o1", kind: { case: "setupBmc", value: { rotate: true } } }));
  await during(
    clock,
    server.until(({ steps }) => steps.some(({ order, state }) => order === "o1" && state === StepState.DONE), 20_000),
  );
  assert.equal(server.bmcs.length, 2);
  const done = server.steps.filter(({ name, state }: Step) => name === "bmc" && state === StepState.DONE);
  assert.equal(done.length, 2);
});

test("an upstream server gets address, port, user and password in one call, before the machine reboots", async () => {
  const [clock, bmc] = [new VirtualClock(), new BmcModel()];
  const server = createForeignServer({ upstream: true, setupBmc: true });
  const { machine, run } = agentOf(server, clock, bmc);
  await during(clock, run);
  assert.equal(server.bmcs.length, 1);
  const { uuid, bmcInfo } = server.bmcs[0]!;
  assert.deepEqual([uuid, bmcInfo!.ip, bmcInfo!.port, bmcInfo!.user], [UUID, "10.0.0.9", 623, "sidero"]);
  bmc.login({ address: "10.0.0.9", user: "sidero", password: bmcInfo!.pass });
  assert.equal(machine.ran.at(-1), "reboot");
});
