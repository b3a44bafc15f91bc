/** BeginWipe and ReportWipe over HTTP/2 on a socket: an order holds or does not by what is in the API at that moment, and only evidence is written. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { eraseRecord, parseSignature, signedText } from "#decide/wipe/record.ts";
import { createMemorySigner, verifyMemorySignature } from "#io/memory/sign.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { DiskState, WipeMode } from "#proto/sidero/agent/v1/machine_pb.js";
import { MAC, UUID, registration, startApi } from "./api-fixture.ts";
import type { ApiFixture, ApiFixtureOptions, Calls } from "./api-fixture.ts";

let fixture: ApiFixture;
afterEach(() => fixture.stop());

const ORDER = { id: "w1", reason: "accepted", by: "acceptance", orderedAt: "2030-01-01T00:00:00Z", state: "ordered" } as const;
/** As registration() reports it. */
const VDA = { name: "vda", serial: "D1", bytes: 10n * 1024n ** 3n };

async function start(options: ApiFixtureOptions = {}): Promise<Calls> {
  fixture = await startApi({ ...options, settings: { autoAccept: true, ...options.settings } });
  const calls = fixture.calls(fixture.token({ uuid: UUID, mac: MAC }));
  await calls.agent.createServer(registration());
  return calls;
}

const servers = () => fixture.world.client.for(Server);
const server = (): Promise<Server> => servers().get(UUID);
const wipe = async () => (await server()).status?.wipe;
const order = (status: object = {}): Promise<Server> =>
  servers().patch(UUID, { status: { wipe: { ...ORDER, ...status } } }, { subresource: "status" });

async function fails(call: Promise<unknown>, code: Code, message: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    const { code: found, rawMessage } = ConnectError.from(error);
    assert.equal(Code[found], Code[code], rawMessage);
    assert.match(rawMessage, message);
    return true;
  });
}

test("an order that holds: mode, selectors, and the beginning is on record", async () => {
  const { machine } = await start();
  await fails(machine.beginWipe({ order: "w1" }), Code.FailedPrecondition, /not in force/);
  await fails(machine.beginWipe({ order: "" }), Code.InvalidArgument, /^order: missing/);
  await order();
  await fails(machine.beginWipe({ order: "w2" }), Code.FailedPrecondition, /w2 .* not in force/);
  await servers().patch(UUID, { spec: { wipe: { keep: [{ serial: "K" }] } } });
  const answer = await machine.beginWipe({ order: "w1" });
  assert.deepEqual([answer.mode, answer.parallel, answer.reportMilliseconds], [WipeMode.FAST, 4, 5000]);
  assert.deepEqual(
    answer.keep.map(({ serial, name }) => [serial, name]),
    [["K", ""]],
  );
  const begun = await wipe();
  assert.deepEqual([begun?.state, begun?.mode, begun?.startedAt === begun?.heardAt], ["started", "fast", true]);
  await fixture.world.pass(60_000);
  await machine.beginWipe({ order: "w1" });
  assert.equal((await wipe())?.startedAt, begun?.startedAt, "an agent that comes back goes on with the same wipe");
  await servers().patch(UUID, { spec: { wipe: { mode: "full" } } });
  assert.equal((await machine.beginWipe({ order: "w1" })).mode, WipeMode.FULL);
});

test("nothing may be written to a machine that is held, adopted, paused, unaccepted or about to go, whatever the caches say", async () => {
  const { machine } = await start();
  await order();
  await fixture.settle();
  const refused = (why: RegExp): Promise<void> => fails(machine.beginWipe({ order: "w1" }), Code.FailedPrecondition, why);
  const binding = { metadata: { name: UUID }, spec: { metalMachineRef: { name: "m", namespace: "default" } } };
  // No pause for the caches: the API itself is asked.
  await fixture.world.client.for(ServerBinding).create(binding);
  await refused(/has a ServerBinding/);
  await fixture.world.client.for(ServerBinding).delete(UUID);
  await servers().patch(UUID, { metadata: { annotations: { "cluster.x-k8s.io/paused": "" } } });
  await refused(/is paused/);
  await servers().patch(UUID, { metadata: { annotations: { "cluster.x-k8s.io/paused": null } } });
  for (const spec of [{ adopt: true }, { accepted: false }]) {
    await servers().patch(UUID, { spec });
    await refused(/nobody ordered/);
    await servers().patch(UUID, { spec: { adopt: null, accepted: true } });
  }
  for (const status of [{ inUse: true }, { wipe: { ...ORDER, state: "done" } }, { wipe: { ...ORDER, state: "withdrawn" } }]) {
    await servers().patch(UUID, { status: { inUse: false, wipe: ORDER, ...status } }, { subresource: "status" });
    await refused(/nobody ordered/);
  }
  await servers().patch(UUID, { status: { inUse: false, wipe: ORDER } }, { subresource: "status" });
  assert.equal((await machine.beginWipe({ order: "w1" })).mode, WipeMode.FAST);
});

test("upstream's agent, which wipes on the word of its registration, is not told to when the machine has just been allocated", async () => {
  const { agent } = await start({ lacksBindings: true });
  await order();
  assert.equal((await agent.createServer(registration())).wipeOrder, "w1");
  const binding = { metadata: { name: UUID }, spec: { metalMachineRef: { name: "m", namespace: "default" } } };
  await fixture.world.client.for(ServerBinding).create(binding);
  const { wipe: isToWipe, wipeOrder } = await agent.createServer(registration());
  assert.deepEqual([isToWipe, wipeOrder], [false, ""]);
});

test("a machine whose agent has reported a disk that failed is not taken for wiped at a word", async () => {
  const { agent, machine } = await start();
  await order();
  await machine.beginWipe({ order: "w1" });
  await machine.reportWipe({ order: "w1", disks: [{ ...VDA, state: DiskState.FAILED, detail: "broken" }] });
  await fails(agent.markServerAsWiped({ uuid: UUID, wipeOrder: "w1" }), Code.FailedPrecondition, /not wiped/);
  assert.equal((await wipe())?.state, "failed");
});

test("an order of a backup that was restored holds no more", async () => {
  const { agent, machine } = await start({ settings: { ordersSince: Date.parse(ORDER.orderedAt) + 1 } });
  await order();
  await fixture.settle();
  await fails(machine.beginWipe({ order: "w1" }), Code.FailedPrecondition, /nobody ordered/);
  assert.equal((await agent.createServer(registration())).wipe, false);
  await order({ orderedAt: "2030-01-02T00:00:00Z" });
  assert.equal((await machine.beginWipe({ order: "w1" })).mode, WipeMode.FAST);
});

test("a binding that is made while the beginning is written stops the wipe, and the order is as before", async () => {
  const { machine } = await start();
  await order();
  const bindings = fixture.world.client.for(ServerBinding);
  const binding = { metadata: { name: UUID }, spec: { metalMachineRef: { name: "m", namespace: "default" } } };
  let made: Promise<unknown> | undefined;
  const stop = new AbortController();
  const watching = (async () => {
    const { metadata } = await servers().listAll({});
    for await (const event of servers().watch({ resourceVersion: metadata.resourceVersion!, signal: stop.signal })) {
      // In the moment between the write and the second look.
      if (event.type === "MODIFIED" && event.object.status?.wipe?.state === "started") made ??= bindings.create(binding);
    }
  })().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const outcome = await machine.beginWipe({ order: "w1" }).then(
    () => "begun",
    (error: unknown) => ConnectError.from(error).rawMessage,
  );
  stop.abort();
  await Promise.all([watching, made]);
  const state = (await wipe())?.state;
  // Either the binding was seen, or the wipe began before there was one.
  assert.ok(
    outcome === "begun" ? state === "started" : /has a ServerBinding/.test(outcome) && state === "ordered",
    `${outcome}, ${state}`,
  );
});

test("progress is written now and then, changes of state at once, and the end signed", async () => {
  const { machine } = await start();
  await order();
  const report = (...disks: object[]): Promise<unknown> => machine.reportWipe({ order: "w1", disks });
  await fails(report(), Code.FailedPrecondition, /BeginWipe comes first/);
  await machine.beginWipe({ order: "w1" });
  const version = async (): Promise<string | undefined> => (await server()).metadata.resourceVersion;
  await report({ ...VDA, state: DiskState.PENDING });
  const pending = await version();
  await fixture.world.pass(2_000);
  await report({ ...VDA, state: DiskState.WIPING, method: "discard", percent: 1 });
  const wiping = await version();
  assert.notEqual(wiping, pending, "a change of state");
  await fixture.world.pass(2_000);
  await report({ ...VDA, state: DiskState.WIPING, method: "discard", percent: 30 });
  assert.equal(await version(), wiping, "mere progress waits");
  await fixture.world.pass(9_000);
  await report({ ...VDA, state: DiskState.WIPING, method: "discard", percent: 50 });
  assert.equal((await wipe())?.disks?.[0]?.percent, 50);
  const half = await version();
  for (let i = 0; i < 5; i++) {
    await fixture.world.pass(5_000);
    await report({ ...VDA, state: DiskState.WIPING, method: "discard", percent: 50 });
  }
  assert.equal(await version(), half, "nothing new");
  await fixture.world.pass(6_000);
  await report({ ...VDA, state: DiskState.WIPING, method: "discard", percent: 50 });
  assert.notEqual(await version(), half, "but a sign of life after half a minute");
  const done = { ...VDA, state: DiskState.DONE, method: "discard", percent: 100, verified: true, detail: "gone\u001b[1m" };
  await report(done, { name: "sdb", state: DiskState.SKIPPED, detail: "it hangs on USB" });
  const end = (await wipe())!;
  assert.deepEqual(
    [end.state, end.disks?.[0]?.state, end.disks?.[0]?.detail, end.disks?.[1]?.state],
    ["done", "done", "gone[1m", "skipped"],
  );
  assert.equal(end.finishedAt, end.disks?.[0]?.finishedAt);
  assert.equal(end.machine?.uid, (await server()).metadata.uid, "whose disks they were stays on record");
  assert.equal((await server()).status?.isClean, undefined, "what follows is the controller's");
  const { keyId, signature } = parseSignature(end.signature!)!;
  const signer = createMemorySigner(9);
  assert.equal(keyId, signer.keyId);
  const bytes = new TextEncoder().encode(signedText(eraseRecord(UUID, end)));
  assert.ok(verifyMemorySignature(signer.publicKey, bytes, Buffer.from(signature, "base64")));
  const after = await version();
  await report(done, { name: "sdb", state: DiskState.SKIPPED, detail: "another story" });
  assert.equal(await version(), after, "the last report again changes nothing");
  await fails(report({ ...VDA, state: DiskState.WIPING }), Code.FailedPrecondition, /nobody ordered/);
});

test("a disk that failed, was spared or has vanished fails the order by its name; another attempt begins anew", async () => {
  const { machine } = await start();
  await order();
  const ends = async (...disks: object[]): Promise<string> => {
    await machine.beginWipe({ order: "w1" });
    await machine.reportWipe({ order: "w1", disks });
    const { state, detail } = (await wipe())!;
    return `${state}: ${detail ?? ""}`;
  };
  assert.equal(
    await ends(
      { ...VDA, state: DiskState.FAILED, detail: "held by md127" },
      { name: "vdb", state: DiskState.FAILED, detail: "I/O error" },
    ),
    "failed: vda: held by md127; vdb: I/O error",
  );
  assert.equal(await ends(), "failed: vda: it is on record, and the agent did not find it");
  assert.equal(await ends({ ...VDA, state: DiskState.SKIPPED, detail: "so" }), "failed: vda: it was left as it was: so");
  assert.equal(
    await ends({ ...VDA, name: "vdc", serial: "other", state: DiskState.DONE, verified: true }),
    "failed: vda: it is on record, and the agent did not find it",
  );
  await servers().patch(UUID, { spec: { wipe: { only: [{ type: "NVMe" }] } } });
  assert.equal(
    await ends({ ...VDA, state: DiskState.SKIPPED }),
    "failed: spec.wipe.only has none of the disks that the machine has",
  );
  await servers().patch(UUID, { spec: { wipe: null } });
  assert.equal(await ends({ ...VDA, name: "sda", state: DiskState.DONE, verified: true }), "done: ", "by its serial number");
  const { detail, signature } = (await wipe())!;
  assert.ok(detail === undefined && signature !== undefined);
});

test("a machine without disks is done at once; malformed reports change nothing", async () => {
  const { machine, agent } = await start();
  await agent.createServer(registration({ storage: { totalSize: 0n, deviceCount: 0, devices: [] } }));
  await order();
  await machine.beginWipe({ order: "w1" });
  const { metadata } = await server();
  const disk = { name: "vda", state: DiskState.DONE };
  for (const [disks, why] of [
    [[{ ...disk, name: "" }], /disks\[0\].name: missing/],
    [[{ ...disk, name: "\u0007" }], /disks\[0\].name: missing/],
    [[disk, disk], /disks\[1\].name: vda is there twice/],
    [[{ ...disk, state: 0 }], /disks\[0\].state/],
    [[{ ...disk, percent: 101 }], /percent/],
    [[{ ...disk, bytes: 2n ** 60n }], /bytes/],
  ] as const) {
    await fails(machine.reportWipe({ order: "w1", disks: [...disks] }), Code.InvalidArgument, why);
  }
  const many = Array.from({ length: 1025 }, (_, i) => ({ name: `d${i}`, state: DiskState.DONE }));
  await fails(machine.reportWipe({ order: "w1", disks: many }), Code.InvalidArgument, /one too many/);
  assert.equal((await server()).metadata.resourceVersion, metadata.resourceVersion);
  await machine.reportWipe({ order: "w1", disks: [] });
  assert.equal((await wipe())?.state, "done");
});

test("a machine cannot report for another one", async () => {
  const { machine } = await start();
  await order();
  await machine.beginWipe({ order: "w1" });
  const uuid = "7f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d11";
  const mac = "52:54:00:12:34:57";
  const other = fixture.calls(fixture.token({ uuid, mac }));
  await fails(other.machine.reportWipe({ order: "w1", disks: [] }), Code.NotFound, /CreateServer/);
  const hardware = {
    system: { uuid, serialNumber: "SN-2" },
    network: { interfaceCount: 1, interfaces: [{ name: "eth0", mac }] },
  };
  const request = registration(hardware);
  request.bootMac = mac;
  await other.agent.createServer(request);
  await fails(other.machine.reportWipe({ order: "w1", disks: [] }), Code.FailedPrecondition, /not in force/);
  assert.equal((await wipe())?.state, "started");
});

test("another machine on the wire that knows the UUID may neither wipe, nor say that it did, nor change what is on record", async () => {
  const neighbours: Record<string, string> = {};
  await start({ neighbours });
  await order();
  await fixture.settle();
  // Anybody can ask for the boot script of any UUID, and gets a token for an address of its own.
  neighbours["127.0.0.1"] = "52:54:00:00:00:99";
  const thief = fixture.calls(fixture.token({ uuid: UUID, mac: MAC }));
  assert.equal((await thief.machine.hello({ uuid: UUID, macs: [MAC] })).server, UUID);
  const before = JSON.stringify((await server()).spec?.hardware);
  await fails(
    thief.agent.createServer(registration()),
    Code.PermissionDenied,
    /52:54:00:00:00:99, which is none of the Server's/,
  );
  assert.equal(JSON.stringify((await server()).spec?.hardware), before);
  for (const call of [
    thief.machine.beginWipe({ order: "w1" }),
    thief.machine.reportWipe({ order: "w1", disks: [{ ...VDA, state: DiskState.DONE, verified: true }] }),
    thief.agent.heartbeat({ uuid: UUID }),
    thief.agent.markServerAsWiped({ uuid: UUID, wipeOrder: "w1" }),
  ]) {
    await fails(call, Code.PermissionDenied, /does not speak for Server/);
  }
  assert.deepEqual([(await wipe())?.state, (await wipe())?.disks], ["ordered", undefined]);
});
