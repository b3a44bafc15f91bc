/** The agent API, called by connect's own client over HTTP/2 on a socket. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeToken } from "#decide/identity/token.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { KubeEvent } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { MAC, UUID, hardware, registration, startApi } from "./api-fixture.ts";
import type { ApiFixture, ApiFixtureOptions } from "./api-fixture.ts";

let fixture: ApiFixture;
afterEach(() => fixture.stop());

const Secret = kindRef<KubeObject & { data: Record<string, string> }>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
});

const start = async (options?: ApiFixtureOptions): Promise<ApiFixture> => (fixture = await startApi(options));
const server = (name = UUID): Promise<Server> => fixture.world.client.for(Server).get(name);
const servers = async (): Promise<string[]> => {
  const { items } = await fixture.world.client.for(Server).list();
  return items.map(({ metadata }) => metadata.name!).toSorted();
};
const events = async (): Promise<string[]> => {
  await fixture.settle();
  const { items } = await fixture.world.client.for(KubeEvent).in("default").list();
  return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
};
const seen = (what: string): string[] => fixture.sightings.flatMap((sighting) => (sighting.what === what ? [sighting.text] : []));
async function fails(call: Promise<unknown>, code: Code, text: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    const { code: actual, rawMessage } = ConnectError.from(error);
    assert.deepEqual([Code[actual], rawMessage], [Code[code], text.test(rawMessage) ? rawMessage : text]);
    return true;
  });
}

test("a machine registers, and comes back with other hardware", async () => {
  await start();
  const { agent } = fixture.calls(fixture.token({ uuid: UUID, mac: MAC, serial: "SN-4711" }));
  const answer = await agent.createServer(registration());
  assert.deepEqual([answer.server, answer.wipe, answer.setupBmc, answer.rebootTimeout], [UUID, false, false, 0]);
  const { spec, metadata } = await server();
  assert.deepEqual([spec?.accepted, spec?.hostname, metadata.annotations], [false, "node-1", undefined]);
  assert.equal(spec?.hardware?.memory?.totalSize, "2 GB");
  assert.equal(spec?.hardware?.storage?.totalSize, "10 GB");
  assert.deepEqual(spec?.hardware?.storage?.devices?.[0], { type: "SSD", size: 10_737_418_240, name: "vda", serialNumber: "D1" });
  assert.equal(spec?.hardware?.network?.interfaces?.[0]?.mac, MAC);

  await agent.createServer(
    registration({ memory: { totalSize: 1024, modules: [{ size: 1024, type: "RAM", slot: "DIMM 0" }] }, storage: {} }),
  );
  assert.equal((await server()).spec?.hardware?.memory?.totalSize, "1 GB");
  assert.deepEqual(await events(), [
    "Normal Server Registration: Server auto-registered via API: QEMU Standard PC, 1 processor, 2 GB of memory, 1 disk (10 GB), 1 interface",
    "Normal Hardware Change: memory 2 GB → 1 GB, disk vda (D1) gone",
  ]);
  assert.match(seen("agent.registered")[0]!, /^registered as a new Server: QEMU Standard PC/);
  assert.match(seen("agent.registered")[1]!, /^came back: .*; changed: memory 2 GB → 1 GB, disk vda \(D1\) gone$/);
  assert.deepEqual(fixture.sightings[0]!.of, { address: "127.0.0.1", uuid: UUID, mac: MAC, server: UUID });
});

test("accepted as it registers: that it was Discovered is on record before, also when that was interrupted; nobody else's is accepted", async () => {
  await start({ settings: { autoAccept: true } });
  const { agent } = fixture.calls(fixture.token());
  await agent.createServer(registration());
  const made = await server();
  assert.deepEqual([made.spec?.accepted, made.status?.phase, made.metadata.annotations], [true, "Discovered", undefined]);

  const place = fixture.world.client.for(Server);
  await place.delete(UUID);
  // As a process that died left it.
  const annotations = { "metal.sidero.dev/auto-accept": "pending", other: "stays" };
  await place.create({ metadata: { name: UUID, annotations }, spec: { accepted: false, hardware: made.spec!.hardware! } });
  await fixture.settle();
  await agent.createServer(registration());
  const resumed = await server();
  assert.deepEqual(
    [resumed.spec?.accepted, resumed.status?.phase, resumed.metadata.annotations],
    [true, "Discovered", { other: "stays" }],
  );

  await place.patch(UUID, { spec: { accepted: false } });
  await agent.createServer(registration());
  assert.equal((await server()).spec?.accepted, false, "somebody has taken it back");
});

test("nothing is written when nothing has changed, and what people have set stays", async () => {
  await start();
  const { agent } = fixture.calls(fixture.token({ uuid: UUID }));
  await agent.createServer(registration());
  await fixture.world.client.for(Server).patch(UUID, { spec: { hostname: "theirs", cordoned: true } });
  const before = await server();
  await agent.createServer(registration());
  assert.deepEqual(await server(), before);
  assert.equal(before.spec?.hostname, "theirs");
});

test("counts of the wire are not believed", async () => {
  await start();
  const { agent } = fixture.calls(fixture.token());
  const huge = 0xffff_ffff;
  await agent.createServer(
    registration({
      memory: { moduleCount: huge, totalSize: 1024 },
      storage: { deviceCount: huge, devices: [] },
      network: { interfaceCount: huge, interfaces: [{ mac: MAC }] },
      compute: { processorCount: huge },
    }),
  );
  const { hardware: stored } = (await server()).spec!;
  assert.deepEqual(
    [stored?.memory?.moduleCount, stored?.storage?.deviceCount, stored?.network?.interfaceCount, stored?.compute?.processorCount],
    [0, 0, 1, 0],
  );
});

test("calls without a good token are refused, seen and change nothing", async () => {
  await start({ neighbours: { "127.0.0.1": "52:54:00:00:00:99" } });
  const other = createMemorySeal(6);
  const forged = encodeToken({ purpose: "agent", boot: UUID, address: "127.0.0.1", expires: 4e12 }, other);
  const cases: [token: string | undefined, code: Code, text: RegExp][] = [
    [undefined, Code.Unauthenticated, /no boot token/],
    ["x", Code.Unauthenticated, /malformed/],
    [forged, Code.Unauthenticated, /not issued by this Sidero/],
    [fixture.token({ expires: fixture.world.clock.now() - 1000 }), Code.Unauthenticated, /expired/],
    [fixture.token({ address: "10.0.0.7", mac: MAC }), Code.PermissionDenied, /issued to 10\.0\.0\.7 and came from 127\.0\.0\.1/],
    [fixture.token({ uuid: UUID.replace("6", "7") }), Code.PermissionDenied, /its UUID is 6f0c/],
    [fixture.token({ mac: "52:54:00:00:00:01" }), Code.PermissionDenied, /no interface 52:54:00:00:00:01/],
    [fixture.token({ serial: "SN-1" }), Code.PermissionDenied, /serial number is "SN-4711"/],
  ];
  for (const [token, code, text] of cases) {
    const { agent, machine } = fixture.calls(token);

    await fails(agent.createServer(registration()), code, text);
    if (code === Code.Unauthenticated) await fails(machine.report({}), code, text);
  }
  assert.deepEqual(await servers(), []);
  assert.equal(seen("agent.refused").length, cases.length + 4);
  assert.equal(fixture.lines.filter((line) => line.startsWith("warn refused")).length, cases.length + 4);
});

test("another address will do when it is a neighbour with a MAC address of the machine", async () => {
  await start({ neighbours: { "127.0.0.1": MAC } });
  const { agent } = fixture.calls(fixture.token({ address: "10.0.0.7", mac: MAC }));
  await agent.createServer(registration());
  // An interface that only the Server's record knows.
  await agent.createServer(registration({ network: { interfaces: [{ mac: MAC }, { mac: "52:54:00:00:00:02" }] } }));
  await fixture.settle();
  const second = fixture.calls(fixture.token({ address: "10.0.0.8", mac: "52:54:00:00:00:02", uuid: UUID }));
  await second.agent.createServer(registration({ network: { interfaces: [{ mac: MAC }, { mac: "52:54:00:00:00:02" }] } }));
  assert.deepEqual(await servers(), [UUID]);
});

test("open access takes calls without a token and says so once a minute", async () => {
  await start({ access: "open" });
  const { agent } = fixture.calls();
  for (let i = 0; i < 3; i++) await agent.createServer(registration());
  await fixture.world.pass(61_000);
  await agent.reconcileServerAddresses({ uuid: UUID.toUpperCase(), address: [{ type: "InternalIP", address: "10.0.0.5" }] });
  assert.deepEqual((await server()).status?.addresses, [{ type: "InternalIP", address: "10.0.0.5" }]);
  assert.equal(fixture.lines.filter((line) => line.includes("agent access is open")).length, 2);
});

test("a machine speaks for itself only", async () => {
  await start();
  const other = UUID.replace("6", "7");
  await fixture.world.client.for(Server).create({ metadata: { name: other }, spec: { accepted: true } });
  const { agent } = fixture.calls(fixture.token());
  await agent.createServer(registration());
  for (const call of [
    agent.markServerAsWiped({ uuid: other }),
    agent.heartbeat({ uuid: other }),
    agent.reconcileServerAddresses({ uuid: other }),
    agent.updateBMCInfo({ uuid: other, bmcInfo: { ip: "10.0.0.1" } }),
  ])
    await fails(call, Code.PermissionDenied, /is not the machine that calls/);
  await fails(agent.heartbeat({}), Code.InvalidArgument, /^uuid: missing/);
});

test("addresses are taken over by type, but for those that nobody can use", async () => {
  await start();
  const { agent } = fixture.calls(fixture.token());
  await agent.createServer(registration());
  await fixture.world.client.for(Server).patch(
    UUID,
    {
      status: {
        addresses: [
          { type: "Hostname", address: "n1" },
          { type: "InternalIP", address: "10.0.0.9" },
        ],
      },
    },
    { subresource: "status" },
  );
  const ip = (address: string) => ({ type: "InternalIP", address });
  await agent.reconcileServerAddresses({
    uuid: UUID,
    address: ["10.0.0.5", "fd00::5", "127.0.0.1", "169.254.1.1", "fe80::1", "10.9.3.4", "10.0.0.5"].map(ip),
  });
  assert.deepEqual((await server()).status?.addresses, [{ type: "Hostname", address: "n1" }, ip("10.0.0.5"), ip("fd00::5")]);
  const before = await server();
  await agent.reconcileServerAddresses({ uuid: UUID, address: ["fd00::5", "10.0.0.5"].map(ip) });
  assert.deepEqual(await server(), before, "the same set in another order");
  await fails(
    agent.reconcileServerAddresses({ uuid: UUID, address: [ip("10.0.0")] }),
    Code.InvalidArgument,
    /^address\[0\]: "10\.0\.0" is no IP address/,
  );
  await fails(
    agent.reconcileServerAddresses({ uuid: UUID, address: [{ type: "X", address: "y" }] }),
    Code.InvalidArgument,
    /^address\[0\]: type "X" is none of/,
  );
});

test("nothing is wiped without an order on record, and the report must answer it", async () => {
  await start({ settings: { autoAccept: true } });
  const { agent } = fixture.calls(fixture.token());
  const wiped = (order?: string): Promise<unknown> => agent.markServerAsWiped({ uuid: UUID, wipeOrder: order ?? "" });
  assert.equal((await agent.createServer(registration())).wipe, false, "accepted and not clean is no order");
  await fails(wiped(), Code.FailedPrecondition, /nobody ordered/);
  await fails(agent.heartbeat({ uuid: UUID }), Code.FailedPrecondition, /nobody ordered/);

  const order = { id: "w1", reason: "accepted", by: "acceptance", orderedAt: "2030-01-01T00:00:00Z", state: "ordered" };
  const status = (patch: object): Promise<Server> =>
    fixture.world.client.for(Server).patch(UUID, { status: patch as never }, { subresource: "status" });
  await status({ wipe: order });
  const answer = await agent.createServer(registration());
  assert.deepEqual([answer.wipe, answer.wipeOrder, answer.insecureWipe, answer.rebootTimeout], [true, "w1", true, 1200]);
  await agent.heartbeat({ uuid: UUID });
  const first = (await server()).status?.wipe;
  assert.deepEqual([first?.state, first?.mode, first?.startedAt === first?.heardAt], ["started", "fast", true]);
  await fixture.world.pass(35_000);
  await agent.heartbeat({ uuid: UUID });
  const second = (await server()).status?.wipe;
  assert.equal(second?.startedAt, first?.startedAt);
  assert.notEqual(second?.heardAt, first?.heardAt);

  await fails(wiped("w0"), Code.FailedPrecondition, /order in force is w1/);
  await status({ wipe: { ...order, id: "w2" } });
  await fails(wiped(), Code.FailedPrecondition, /order in force is w2/);
  await status({ wipe: order });
  const binding = { metadata: { name: UUID }, spec: { metalMachineRef: { name: "m", namespace: "default" } } };
  await fixture.world.client.for(ServerBinding).create(binding);
  await fixture.settle();
  assert.equal((await agent.createServer(registration())).wipe, false, "in use");
  await fails(wiped("w1"), Code.FailedPrecondition, /nobody ordered/);
  await fixture.world.client.for(ServerBinding).delete(UUID);
  await fixture.settle();

  await wiped();
  const { status: after } = await server();
  assert.deepEqual([after?.wipe?.state, after?.isClean], ["done", undefined], "what follows is the controller's");
  assert.ok((await events()).some((line) => line.startsWith("Normal Server Wipe")));
});

test("the BMC is set up on accepted machines that have none, in two calls, with a Secret of the Server's own", async () => {
  await start({ neighbours: { "127.0.0.1": MAC } });
  const { agent } = fixture.calls(fixture.token());
  assert.equal((await agent.createServer(registration())).setupBmc, false);
  const update = (bmcInfo: object): Promise<unknown> => agent.updateBMCInfo({ uuid: UUID, bmcInfo });
  await fails(update({ ip: "10.0.0.3" }), Code.FailedPrecondition, /not accepted/);
  const accepted = fixture.world.client.for(Server);
  await accepted.patch(UUID, { spec: { accepted: true } });
  assert.equal((await agent.createServer(registration())).setupBmc, true);
  await fails(update({ ip: "10.0.0" }), Code.InvalidArgument, /^bmc_info\.ip/);
  await fails(update({ ip: "10.0.0.3", port: 70_000 }), Code.InvalidArgument, /^bmc_info\.port/);
  await fails(update({}), Code.InvalidArgument, /neither ip/);
  await update({ ip: "10.0.0.3" });
  // Half of it is nothing.
  assert.equal((await server()).spec?.bmc, undefined);
  await update({ user: "sidero", pass: "s3cret" });
  const { spec, metadata } = await server();
  const ref = (key: string) => ({ secretKeyRef: { namespace: "default", name: `${UUID}-bmc`, key } });
  assert.deepEqual(spec?.bmc, { endpoint: "10.0.0.3", port: 623, userFrom: ref("user"), passFrom: ref("pass") });
  const secret = await fixture.world.client.for(Secret).in("default").get(`${UUID}-bmc`);
  assert.deepEqual(secret.data, { user: btoa("sidero"), pass: btoa("s3cret") });
  assert.equal(secret.metadata.ownerReferences?.[0]?.uid, metadata.uid);
  assert.deepEqual(secret.metadata.labels, { "clusterctl.cluster.x-k8s.io/move": "" });
  assert.equal((await agent.createServer(registration())).setupBmc, false);
  // It has done what it was asked to.
  await fails(update({ user: "sidero", pass: "other" }), Code.FailedPrecondition, /nobody asked/);
  await accepted.patch(UUID, { spec: { bmc: { user: "root", userFrom: null } } });
  await fails(update({ ip: "10.0.0.66" }), Code.FailedPrecondition, /BMC that the agent did not set up/);
  assert.ok(!fixture.lines.join().includes("s3cret") && !JSON.stringify(fixture.sightings).includes("s3cret"));
  assert.ok(!(await events()).join().includes("s3cret"));
});

test("forty machines with the same placeholder UUID, and ten registering twice at once, are forty Servers", async () => {
  await start({ access: "open" });
  const uuid = "03000200-0400-0500-0006-000700080009";
  const mac = (i: number): string => `52:54:00:00:01:${i.toString(16).padStart(2, "0")}`;
  const machine = (i: number): ReturnType<typeof registration> =>
    registration({ system: { uuid, serialNumber: "To Be Filled By O.E.M." }, network: { interfaces: [{ mac: mac(i) }] } });
  const { agent } = fixture.calls();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => agent.createServer(machine(i % 40)).then((answer) => [i % 40, answer.server] as const)),
  );
  const names = new Map(answers);
  for (const [i, name] of answers) assert.equal(name, names.get(i));
  assert.deepEqual(await servers(), [...names.values()].toSorted());
  assert.equal(new Set(names.values()).size, 40);
  await fixture.settle();
  assert.equal((await agent.createServer(machine(7))).server, names.get(7), "it is known again");
  const { metadata } = await server(names.get(7));
  assert.match(metadata.annotations?.["metal.sidero.dev/name-note"] ?? "", /its UUID 03000200-.* is a placeholder/);
  assert.ok((await events()).some((line) => /Server Registration.*named by serial number and MAC address/.test(line)));
});

test("of machines with the same UUID that register at once, one has it for its name", async () => {
  await start({ access: "open" });
  const machine = (i: number): ReturnType<typeof registration> =>
    registration({ network: { interfaces: [{ mac: `52:54:00:00:02:0${i}` }] } });
  const { agent } = fixture.calls();
  const answers = await Promise.all([0, 1, 2, 3].map((i) => agent.createServer(machine(i))));
  const names = answers.map((answer) => answer.server);
  assert.equal(new Set(names).size, 4);
  assert.equal(names.filter((name) => name === UUID).length, 1);
  await fixture.settle();
  for (const [i, name] of names.entries()) assert.equal((await agent.createServer(machine(i))).server, name);
});

test("hardware that upstream's agent does not know of stays when it reports", async () => {
  await start({ access: "open" });
  const { agent } = fixture.calls();
  await agent.createServer(registration({ gpus: [{ productName: "H100" }], firmware: { bootMode: "UEFI" } }));
  const { system, network } = hardware();
  await agent.createServer({ hardware: { system: system!, network: network! } });
  const stored = (await server()).spec?.hardware;
  assert.deepEqual(
    [stored?.gpus, stored?.firmware, stored?.storage?.deviceCount],
    [[{ productName: "H100" }], { bootMode: "uefi" }, 1],
  );
  await agent.createServer(registration());
  assert.deepEqual(
    [(await server()).spec?.hardware?.gpus, (await events()).at(-1)],
    [undefined, "Normal Hardware Change: GPU H100 gone"],
  );
});
