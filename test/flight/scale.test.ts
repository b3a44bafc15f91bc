/** Many machines powered on together: time and memory per sighting stay what they are for one. SCALE multiplies the thousand, up to ten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFlightRecorder } from "#controllers/boot-record/recorder.ts";
import { Logbook } from "#decide/flight/logbook.ts";
import type { Sighting, What } from "#decide/sighting.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { startWorld } from "../kube/world.ts";

const MACHINES = 1000 * Math.min(Number(process.env["SCALE"] ?? "1"), 10);
/** All have Servers: records of strangers are made one after the other. */
const known = { isComplete: true, server: (name: string) => ({ metadata: { name } }) as Server, serversByMac: () => [] };
const ROAD: readonly What[] = [
  "dhcp.discover",
  "dhcp.offer",
  "dhcp.request",
  "dhcp.ack",
  "tftp.sent",
  "script.served",
  "http.sent",
];

/** The n-th of the thirty sightings of a machine. */
function sighting(machine: number, n: number, at: number): Sighting {
  const hex = machine.toString(16).padStart(6, "0");
  const mac = `52:54:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
  const uuid = `4c4c4544-0042-4810-8056-b4c04f${hex}`;
  const what = ROAD[n] ?? "agent.step";
  const address = `10.${machine >> 16}.${(machine >> 8) & 255}.${machine & 255}`;
  const of = what === "tftp.sent" || what === "http.sent" ? { address } : { mac, uuid, address };
  return { of, at, what, text: `${what} number ${n} of this machine, with some words that say why`, begins: n === 0 };
}

test("folding takes microseconds", () => {
  const logbook = new Logbook({ known });
  const start = performance.now();
  for (let n = 0; n < 30; n++) for (let i = 0; i < MACHINES; i++) logbook.note(sighting(i, n, 1e12 + n * 1000));
  const each = ((performance.now() - start) * 1000) / (30 * MACHINES);
  assert.equal(logbook.size, MACHINES);
  assert.ok(each < 200, `${each.toFixed(1)} µs a sighting`);
});

test("a data centre is powered on", { timeout: 600_000 }, async (context) => {
  const world = await startWorld();
  context.after(() => world.stop());
  const { clock, client } = world;
  const recorder = createFlightRecorder({ client, clock, entropy: new SeededEntropy(1), log: silent, inventory: known });
  const stop = new AbortController();
  context.after(() => stop.abort());
  void recorder.run(stop.signal);
  await world.pass(50);
  const before = process.memoryUsage().heapUsed;
  const { user } = process.cpuUsage();
  for (let n = 0; n < 30; n++) {
    for (let i = 0; i < MACHINES; i++) recorder.witness(sighting(i, n, clock.now()));
    await world.pass(2000);
  }
  // The longest that news of a crowd wait.
  await world.pass(20_000);
  const { items: records } = await client.for(BootRecord).listAll();
  const seconds = (process.cpuUsage().user - user) / 1e6;
  const bytes = (process.memoryUsage().heapUsed - before) / MACHINES;
  context.diagnostic(
    `${MACHINES} machines, 30 sightings each: ${seconds.toFixed(1)} s of CPU, ${(bytes / 1024).toFixed(0)} KiB of heap a machine`,
  );
  assert.equal(records.length, MACHINES);
  assert.ok(records.every(({ status }) => status?.sightings?.length === 30 && status.phase === "agent"));
});
