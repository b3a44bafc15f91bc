/** The recorder on an API server in this process: what machines do on the network becomes BootRecords, whatever happens to either. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createFlightRecorder, type FlightRecorder, type FlightRecorderOptions } from "#controllers/boot-record/recorder.ts";
import type { Sighting, What, Whom } from "#decide/sighting.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createClient } from "#kube/client.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";

const MAC = "52:54:00:00:00:01";
const UUID = "4c4c4544-0042-4810-8056-b4c04f395931";
const ADDRESS = "10.77.0.11";

interface Rig {
  readonly world: World;
  readonly recorder: FlightRecorder;
  /** Requests of the recorder that change something. */
  readonly writes: string[];
  see(of: Whom, what: What, rest?: Partial<Sighting>): void;
  records(): Promise<BootRecord[]>;
  /** Ends this process of Sidero: in good order, or not. */
  end(how: "stop" | "kill"): Promise<void>;
}

/** Servers of the world, as a cache would have them. */
function inventory(servers: Map<string, Server>): FlightRecorderOptions["inventory"] {
  return { isComplete: true, server: (name) => servers.get(name), serversByMac: () => [] };
}

async function rig(
  context: TestContext,
  {
    world,
    servers = new Map(),
    limits,
    fail,
  }: { world?: World; servers?: Map<string, Server>; limits?: FlightRecorderOptions["limits"]; fail?: () => boolean } = {},
): Promise<Rig> {
  const own = world ?? (await startWorld());
  if (world === undefined) context.after(() => own.stop());
  const { clock } = own;
  const writes: string[] = [];
  const transport = {
    ...own.fixture.transport,
    request: (request: Parameters<typeof own.fixture.transport.request>[0]) => {
      if (fail?.() === true) throw new Fault("io.failed", "the network is down", { fault: "world", retry: "soon" });
      const line = `${request.method} ${request.target.split("?")[0]}`;
      if (isWrite(line)) writes.push(line);
      return own.fixture.transport.request(request);
    },
  };
  const ports = { clock, entropy: new SeededEntropy(3), log: silent };
  const client = createClient({ ...ports, transport });
  const recorder = createFlightRecorder({ ...ports, client, inventory: inventory(servers), ...(limits && { limits }) });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  context.after(() => stop.abort());
  await own.pass(50);
  return {
    world: own,
    recorder,
    writes,
    see: (of, what, rest = {}) => recorder.witness({ of, what, at: clock.now(), text: what, ...rest }),
    records: async () => (await own.client.for(BootRecord).listAll()).items,
    async end(how) {
      const flushed = how === "stop" ? recorder.flush() : Promise.resolve();
      await own.pass(100);
      await flushed;
      stop.abort();
      await own.pass(10);
      await running;
    },
  };
}

async function boot({ world, see }: Rig, of: Whom = { mac: MAC, uuid: UUID }): Promise<void> {
  see(of, "dhcp.discover", { begins: true });
  see(of, "dhcp.offer", { text: `offered ${ADDRESS}` });
  await world.pass(100);
  see({ ...of, address: ADDRESS }, "dhcp.ack");
  await world.pass(400);
  see({ address: ADDRESS }, "tftp.sent", { bytes: 70_000, took: 120 });
  await world.pass(2000);
  see({ ...of, address: ADDRESS }, "script.served", { text: "boots the agent: it is not registered" });
  await world.pass(500);
  see({ address: ADDRESS }, "http.sent", { text: "sent vmlinuz", bytes: 10_000_000, took: 400 });
}

const whats = ({ status }: BootRecord): string[] => (status?.sightings ?? []).map(({ what }) => what);

test("a boot is one record, in order, by whatever name the machine was seen", async (context) => {
  const rigged = await rig(context);
  await boot(rigged);
  await rigged.world.pass(1000);
  const [record, ...others] = await rigged.records();
  assert.deepEqual(others, []);
  assert.deepEqual(whats(record!), ["dhcp.discover", "dhcp.offer", "dhcp.ack", "tftp.sent", "script.served", "http.sent"]);
  assert.deepEqual(record!.spec, { machine: UUID, uuid: UUID, macs: [MAC], addresses: [ADDRESS] });
  assert.equal(record!.metadata.name, `${UUID}.20300101-000000`);
  assert.equal(record!.status!.phase, "kernel");
  assert.equal(record!.status!.duration, "3s");
  assert.deepEqual(record!.metadata.labels, {
    "metal.sidero.dev/machine": UUID,
    "mac.metal.sidero.dev/525400000001": "",
    "address.metal.sidero.dev/10.77.0.11": "",
  });
});

test("what is seen in one breath is written once", async (context) => {
  const rigged = await rig(context);
  for (let i = 0; i < 30; i++) rigged.see({ mac: MAC, uuid: UUID, address: ADDRESS }, "agent.step", { text: `step ${i}` });
  await rigged.world.pass(5000);
  const [record] = await rigged.records();
  assert.equal(record!.status!.sightings!.length, 30);
  const path = "/apis/metal.sidero.dev/v1alpha2/bootrecords";
  assert.deepEqual(rigged.writes, [`POST ${path}`, `PUT ${path}/${record!.metadata.name}/status`]);
});

test("it goes on after a restart, and says for how long nobody watched", async (context) => {
  const first = await rig(context);
  await boot(first);
  await first.end("stop");
  await first.world.pass(12_000);
  const second = await rig(context, { world: first.world });
  second.see({ mac: MAC, uuid: UUID, address: ADDRESS }, "agent.hello");
  await second.world.pass(1500);
  const [record, ...others] = await second.records();
  assert.deepEqual(others, []);
  assert.deepEqual(whats(record!).slice(-4), ["http.sent", "sidero.stopped", "sidero.started", "agent.hello"]);
  assert.match(record!.status!.sightings!.at(-2)!.text, /not listening since 2030-01-01T00:00:03Z \(12s\)/);
});

test("killed, it says when it was last heard of", async (context) => {
  const first = await rig(context);
  await boot(first);
  await first.world.pass(1000);
  await first.end("kill");
  const second = await rig(context, { world: first.world });
  await second.world.pass(1500);
  const [record] = await second.records();
  assert.match(record!.status!.sightings!.at(-1)!.text, /ended without notice, after 2030-01-01T00:00:03Z/);
});

test("five boots of a machine are kept, the oldest go", async (context) => {
  const rigged = await rig(context);
  for (let i = 0; i < 7; i++) {
    await boot(rigged);
    await rigged.world.pass(30_000);
  }
  const records = await rigged.records();
  assert.equal(records.length, 5);
  assert.deepEqual(
    records.map(({ status }) => status!.endedAt !== undefined),
    [true, true, true, true, false],
  );
});

test("a machine that gets a Server is its Server's, and goes with it", async (context) => {
  const servers = new Map<string, Server>();
  const rigged = await rig(context, { servers });
  const { world } = rigged;
  await boot(rigged, { mac: MAC });
  await world.pass(1000);
  assert.equal((await rigged.records())[0]!.spec.machine, "mac-525400000001");
  const server = await world.client.for(Server).create({ metadata: { name: UUID }, spec: { accepted: false } });
  servers.set(UUID, server);
  rigged.see({ mac: MAC, uuid: UUID, server: UUID, address: ADDRESS }, "agent.registered");
  await world.pass(1000);
  const [record, ...others] = await rigged.records();
  assert.deepEqual(others, []);
  assert.equal(record!.spec.server, UUID);
  assert.equal(record!.metadata.labels!["metal.sidero.dev/server"], UUID);
  assert.deepEqual(
    record!.metadata.ownerReferences?.map(({ uid }) => uid),
    [server.metadata.uid],
  );
  servers.delete(UUID);
  await world.client.for(Server).delete(UUID);
  await world.pass(1000);
  assert.deepEqual(await rigged.records(), []);
});

test("an API that is away loses nothing", async (context) => {
  let isDown = false;
  const rigged = await rig(context, { fail: () => isDown });
  isDown = true;
  await boot(rigged);
  await rigged.world.pass(60_000);
  isDown = false;
  await rigged.world.pass(31_000);
  const [record] = await rigged.records();
  assert.equal(record!.status!.sightings!.length, 6);
});

test("a record that was deleted or changed by somebody else comes right again", async (context) => {
  const rigged = await rig(context);
  await boot(rigged);
  await rigged.world.pass(1000);
  const [{ metadata, ...rest }] = (await rigged.records()) as [BootRecord];
  const foreign = { time: "2030-01-01T00:00:01.000000Z", what: "dhcp.other-server", text: "10.77.0.2 offered 10.77.0.99" };
  const status = {
    ...rest.status!,
    sightings: [...rest.status!.sightings!.slice(0, 3), foreign, ...rest.status!.sightings!.slice(3)],
  };
  await rigged.world.client.for(BootRecord).update({ ...rest, metadata, status }, { subresource: "status" });
  rigged.see({ address: ADDRESS }, "http.sent", { text: "sent initramfs.xz" });
  await rigged.world.pass(3000);
  const [merged] = await rigged.records();
  assert.deepEqual(whats(merged!).slice(2, 5), ["dhcp.ack", "tftp.sent", "dhcp.other-server"]);
  assert.equal(merged!.status!.sightings!.length, 8);
  await rigged.world.client.for(BootRecord).delete(metadata.name!);
  rigged.see({ address: ADDRESS }, "agent.hello");
  await rigged.world.pass(3000);
  assert.equal((await rigged.records())[0]!.status!.sightings!.length, 9);
});

test("ten thousand strangers neither fill the store nor push anybody out", async (context) => {
  const servers = new Map([[UUID, { metadata: { name: UUID } } as Server]]);
  const rigged = await rig(context, { servers, limits: { passing: 100 } });
  await boot(rigged);
  await rigged.world.pass(1000);
  const before = rigged.writes.length;
  for (let i = 0; i < 10_000; i++) {
    const mac = `02:00:00:00:${(i >> 8).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`;
    rigged.see({ mac }, "dhcp.discover", { begins: true });
    if (i % 1000 === 999) await rigged.world.pass(1000);
  }
  await rigged.world.pass(20_000);
  const records = await rigged.records();
  assert.equal(records.filter(({ spec }) => spec.machine === UUID).length, 1);
  assert.ok(records.length <= 101, `${records.length} records`);
  // 200 at once and 20 a second, each made, given a status, and deleted.
  const writes = rigged.writes.length - before;
  assert.ok(writes < 3 * (200 + 20 * 30), `${writes} writes`);
});

test("ten thousand machines that nobody knows, each with a script, do not hold up the one that is known", async (context) => {
  const servers = new Map([[UUID, { metadata: { name: UUID } } as Server]]);
  const rigged = await rig(context, { servers });
  const flood = (from: number): void => {
    for (let i = from; i < from + 5000; i++) {
      const uuid = `9e0c1d0a-5e7f-4b1c-8b7e-${i.toString(16).padStart(12, "0")}`;
      rigged.see({ uuid, server: uuid, address: ADDRESS }, "script.served");
    }
  };
  flood(0);
  rigged.see({ server: UUID, uuid: UUID }, "script.served");
  flood(5000);
  await rigged.world.pass(1500);
  assert.deepEqual(
    (await rigged.records()).filter(({ spec }) => spec.machine === UUID).map(({ status }) => status?.sightings?.length),
    [1],
  );
  await rigged.world.pass(20_000);
  const { length } = await rigged.records();
  // A thousand at once and 20 a second.
  assert.ok(length > 1000 && length < 1000 + 20 * 30, `${length} records`);
});
