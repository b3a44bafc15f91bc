/** The agent and wipe orders, against servers of connect's own parts: what it asks, what it tells, what it does once, and when it keeps its hands off. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { runAgent } from "#agent/steps/agent.ts";
import { createRoad } from "#agent/steps/road.ts";
import type { AgentOptions } from "#agent/steps/session.ts";
import type { EraseDisk } from "#agent/steps/wipe/job.ts";
import { createWiper } from "#agent/steps/wipe/wiper.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import type { Agent } from "#proto/api_pb.js";
import { HardwareInformationSchema, StorageType } from "#proto/api_pb.js";
import type { Machine, ReportWipeRequest } from "#proto/sidero/agent/v1/machine_pb.js";
import { DiskState, OrderSchema, StepState, WipeMode } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";
import { createForeignServer } from "./foreign-server.ts";
import type { ForeignServer, ForeignServerOptions } from "./foreign-server.ts";

const UUID = "4c4c4544-0000-2010-8020-80c04f202020";
const DISKS = [
  { name: "sda", serial: "A", size: 1000n, type: StorageType.HDD, transport: "sata", rotational: true },
  { name: "nvme0n1", serial: "N", size: 1000n, type: StorageType.NVMe, transport: "nvme" },
  { name: "sdb", serial: "U", size: 1000n, type: StorageType.SSD, transport: "usb" },
];

interface Rig {
  readonly server: ForeignServer;
  /** Jobs that were begun, such as `fast /dev/sda`. */
  readonly jobs: string[];
  readonly reports: ReportWipeRequest[];
  readonly ran: string[];
  readonly run: Promise<void>;
}

const ERASE: EraseDisk = async ({ mode }, tell) => {
  tell({ state: "wiping", percent: 10, method: mode });
  tell({ state: "verifying", percent: 95, method: mode });
  return { method: mode, verified: true, detail: "all zero" };
};

function start(
  options: ForeignServerOptions & { readonly calls?: Partial<ServiceImpl<typeof Machine>> },
  eraseDisk: EraseDisk = ERASE,
  files: Readonly<Record<string, string>> = {},
): Rig {
  const reports: ReportWipeRequest[] = [];
  const jobs: string[] = [];
  const { calls, ...foreign } = options;
  const server = createForeignServer({
    ...foreign,
    machine: {
      beginWipe: () => ({ mode: WipeMode.FAST, parallel: 2, reportMilliseconds: 50 }),
      reportWipe: (report) => {
        reports.push(structuredClone(report));
        return {};
      },
      ...calls,
    },
  });
  const machine = createMemoryMachine(files);
  const log = createAgentLog(clock, () => {});
  const road = createRoad(clock, log);
  const inspect: AgentOptions["inspect"] = async () =>
    create(HardwareInformationSchema, { system: { uuid: UUID }, storage: { totalSize: 3000n, deviceCount: 3, devices: DISKS } });
  const noting: EraseDisk = (job, tell, signal) => {
    jobs.push(`${job.mode} ${job.path}`);
    return eraseDisk(job, tell, signal);
  };
  const wiper = createWiper({
    machine,
    road,
    clock,
    inspect,
    eraseDisk: noting,
    removeMapping: async () => true,
    seed: () => "s",
  });
  const identity = { uuid: UUID, serial: "S", macs: [], bootMode: "uefi", architecture: "amd64", kernelVersion: "6" } as const;
  const run = runAgent({
    transport: createRouterTransport(server.routes),
    machine,
    clock,
    log,
    road,
    identity,
    inspect,
    wiper,
    version: "1",
    bootMac: "",
    facts: {},
    renew: () => {},
    chance: () => 0,
  });
  return { server, jobs, reports, ran: machine.ran, run };
}

const wipeOrder = (id: string) => create(OrderSchema, { id, kind: { case: "wipe", value: {} } });
const answersOf = ({ server }: Rig, order: string): string[] =>
  server.steps.filter((step) => step.order === order).map(({ state, text }) => `${StepState[state]} ${text}`.trim());
const endOf = ({ reports }: Rig): string[] =>
  (reports.at(-1)?.disks ?? []).map(({ name, state, method, detail }) => `${name} ${DiskState[state]} ${method} ${detail}`);

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 600 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo(), `${what}: not within 6 s`);
}

test("asks, wipes what it was told to, tells how far it is, and answers the order; the same order again is answered again", async () => {
  const rig = start({});
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 2, "the order is answered");
  assert.deepEqual(answersOf(rig, "w1"), ["STARTED", "DONE 2 disks erased, 1 left as they were"]);
  assert.deepEqual(rig.jobs, ["fast /dev/sda", "fast /dev/nvme0n1"]);
  assert.deepEqual(
    rig.reports[0]!.disks.map(({ name, state }) => `${name} ${state === DiskState.SKIPPED}`),
    ["sda false", "nvme0n1 false", "sdb true"],
    "the first report has all disks",
  );
  assert.deepEqual(endOf(rig), ["sda DONE fast all zero", "nvme0n1 DONE fast all zero", "sdb SKIPPED  it hangs on USB"]);
  const steps = rig.server.steps.filter(({ name, state }) => name.startsWith("wipe ") && state === StepState.DONE);
  assert.deepEqual(steps.map(({ name, text, order }) => [name, text, order]).toSorted(), [
    ["wipe nvme0n1", "N, 0.0 GB: fast; all zero", ""],
    ["wipe sda", "A, 0.0 GB: fast; all zero", ""],
  ]);
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 3, "told again");
  assert.equal(rig.jobs.length, 2, "not done again");
});

test("an order that comes with registration is carried out, once", async () => {
  const rig = start({ wipe: { order: "w1" } });
  await until(() => answersOf(rig, "w1").length === 2, "the order is answered");
  rig.server.send(wipeOrder("w1"));
  rig.server.send(create(OrderSchema, { id: "r", kind: { case: "refresh", value: {} } }));
  await until(() => answersOf(rig, "r").length > 0 && answersOf(rig, "w1").length === 3, "refreshed");
  assert.equal(rig.jobs.length, 2);
});

test("an order that does not hold any more writes nothing; it may be sent again", async () => {
  let holds = false;
  const rig = start({
    calls: {
      beginWipe: () => {
        if (!holds) throw new ConnectError("it has a ServerBinding", Code.FailedPrecondition);
        return { mode: WipeMode.FULL, parallel: 1, keep: [{ serial: "A" }] };
      },
    },
  });
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 2, "refused");
  assert.equal(answersOf(rig, "w1")[1], "FAILED not begun: it has a ServerBinding");
  assert.deepEqual([rig.jobs, rig.reports], [[], []]);
  holds = true;
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 4, "carried out");
  assert.deepEqual(rig.jobs, ["full /dev/nvme0n1"], "as the server says: thoroughly, and not what is to be kept");
  assert.equal(endOf(rig)[0], "sda SKIPPED  spec.wipe.keep has it");
});

test("an order that is withdrawn under way stops the disks, and is no success", async () => {
  let stopped = 0;
  const slow: EraseDisk = (_job, tell, signal) =>
    new Promise((_resolve, reject) => {
      tell({ state: "wiping", percent: 1, method: "zeroes" });
      signal.addEventListener("abort", () => {
        stopped++;
        reject(new Fault("agent.stopped", "it was stopped", { fault: "caller", retry: "later" }));
      });
    });
  const rig = start(
    {
      calls: {
        reportWipe: ({ disks }) => {
          if (disks.some(({ percent }) => percent > 0)) throw new ConnectError("order w1 was withdrawn", Code.FailedPrecondition);
          return {};
        },
      },
    },
    slow,
  );
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 2, "stopped");
  assert.equal(answersOf(rig, "w1")[1], "FAILED stopped: order w1 was withdrawn");
  assert.equal(stopped, 2);
});

test("a disk that cannot be had fails the wipe by the name of its holder; the others are done", async () => {
  const busy: EraseDisk = (job, tell, signal) =>
    job.path === "/dev/sda"
      ? Promise.reject(new Fault("io.busy", "/dev/sda is in use", { fault: "world", retry: "later" }))
      : ERASE(job, tell, signal);
  const files = {
    "/sys/class/block/sda/sda1/partition": "1",
    "/sys/class/block/sda/sda1/holders/md127": "",
    "/sys/class/block/sda/sda1/start": "8",
    "/sys/class/block/sda/sda1/size": "8",
  };
  const rig = start({}, busy, files);
  rig.server.send(wipeOrder("w1"));
  await until(() => answersOf(rig, "w1").length === 2, "failed");
  assert.equal(answersOf(rig, "w1")[1], "FAILED 1 disks erased, 1 left as they were; failed: sda: in use by md127");
  assert.deepEqual(endOf(rig)[0], "sda FAILED  in use by md127");
});

test("a server that is away while disks are wiped hears the end when it is back", async () => {
  let isAway = false;
  let isWiped = false;
  const rig = start(
    {
      calls: {
        reportWipe: ({ disks }) => {
          if (isAway) throw new ConnectError("down", Code.Unavailable);
          isWiped = disks.length > 0 && disks.every(({ state }) => state === DiskState.DONE || state === DiskState.SKIPPED);
          return {};
        },
      },
    },
    async (job, tell, signal) => {
      isAway = true;
      return ERASE(job, tell, signal);
    },
  );
  rig.server.send(wipeOrder("w1"));
  await until(() => rig.jobs.length === 2, "begun");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(!isWiped && answersOf(rig, "w1").length === 1);
  isAway = false;
  await until(() => isWiped && answersOf(rig, "w1").length === 2, "told in the end");
  assert.equal(rig.jobs.length, 2);
});

test("signs of life go on while a disk says nothing", async () => {
  let finish = (): void => {};
  const rig = start({}, async (job, tell, signal) => {
    if (job.path === "/dev/sda") await new Promise<void>((resolve) => (finish = resolve));
    return ERASE(job, tell, signal);
  });
  rig.server.send(wipeOrder("w1"));
  await until(() => rig.reports.length > 10, "ten reports, one each 50 ms");
  finish();
  await until(() => answersOf(rig, "w1").length === 2, "done");
});

interface UpstreamCalls {
  readonly heartbeats: string[];
  readonly wiped: string[];
  readonly agent: Partial<ServiceImpl<typeof Agent>>;
}

function upstream(): UpstreamCalls {
  const [heartbeats, wiped]: string[][] = [[], []];
  return {
    heartbeats: heartbeats!,
    wiped: wiped!,
    agent: {
      heartbeat: ({ uuid }) => {
        heartbeats!.push(uuid);
        return {};
      },
      markServerAsWiped: ({ uuid }) => {
        wiped!.push(uuid);
        return {};
      },
    },
  };
}

test(
  "upstream's server: heartbeats from the beginning, all fixed disks as insecure_wipe says, and its word of the end",
  { timeout: 30_000 },
  async () => {
    const { heartbeats, wiped, agent } = upstream();
    const rig = start({ upstream: true, wipe: { insecure: true, rebootTimeout: 1200 }, agent });
    await until(() => wiped.length > 0, "marked");
    assert.deepEqual([heartbeats[0], wiped], [UUID, [UUID]]);
    assert.deepEqual(rig.jobs, ["fast /dev/sda", "fast /dev/nvme0n1"]);
    await rig.run;
    assert.equal(rig.ran.at(-1), "reboot");
  },
);

test("upstream's server is not told of a wipe in which a disk failed", { timeout: 30_000 }, async () => {
  const { wiped, agent } = upstream();
  const rig = start({ upstream: true, wipe: {}, agent }, () =>
    Promise.reject(new Fault("io.busy", "busy", { fault: "world", retry: "later" })),
  );
  await rig.run;
  assert.deepEqual([rig.jobs, wiped], [["full /dev/sda", "full /dev/nvme0n1"], []]);
});
