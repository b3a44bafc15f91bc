import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Client } from "./client.ts";
import { createRecorder, type KubeEvent, type Recorder } from "./events.ts";
import { statusFault } from "./status.ts";

/** Keeps Events as a server would, and can lose them. */
function fixture() {
  const clock = new VirtualClock();
  const events = new Map<string, KubeEvent>();
  const writes: string[] = [];
  const state = { refusal: undefined as Fault | undefined };
  const place = (namespace: string) => ({
    async create(event: KubeEvent): Promise<void> {
      writes.push("create");
      if (state.refusal !== undefined) throw state.refusal;
      events.set(`${namespace}/${event.metadata.name}`, structuredClone(event));
    },
    async patch(name: string, patch: object): Promise<void> {
      writes.push("patch");
      const event = events.get(`${namespace}/${name}`);
      if (event === undefined) throw statusFault("NotFound", "no such event");
      Object.assign(event, patch);
    },
  });
  const client = { for: () => ({ in: place }) } as unknown as Client;
  const recorder: Recorder = createRecorder({
    client,
    clock,
    entropy: new SeededEntropy(1),
    log: silent,
    component: "sidero",
    instance: "here",
  });
  return { clock, events, writes, state, recorder, list: () => [...events.values()] };
}

const server: KubeObject = {
  apiVersion: "metal.sidero.dev/v1alpha2",
  kind: "Server",
  metadata: { name: "s1", uid: "u1", resourceVersion: "5" },
};
const off = { type: "Warning", reason: "PowerOff", message: "the BMC does not answer" } as const;

test("an Event about an object, where kubectl looks for it", async () => {
  const { clock, events, recorder } = fixture();
  recorder.record(server, off);
  recorder.record({ ...server, metadata: { ...server.metadata, namespace: "machines" } }, off);
  await clock.advance(0);
  const [[key, event], [other]] = [...events] as [[string, KubeEvent], [string, KubeEvent]];
  assert.match(key, /^default\/s1\.[0-9a-f]{16}$/);
  assert.match(other, /^machines\//);
  assert.deepEqual(event, {
    metadata: { name: key.slice(8), namespace: "default" },
    involvedObject: { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", name: "s1", uid: "u1", resourceVersion: "5" },
    ...off,
    source: { component: "sidero" },
    reportingComponent: "sidero",
    reportingInstance: "here",
    firstTimestamp: "2030-01-01T00:00:00Z",
    lastTimestamp: "2030-01-01T00:00:00Z",
    count: 1,
  });
});

test("the same again is counted, something else is another Event", async () => {
  const { clock, recorder, list, writes } = fixture();
  recorder.record(server, off);
  recorder.record(server, off);
  await clock.advance(60_000);
  recorder.record({ ...server, metadata: { ...server.metadata, resourceVersion: "6" } }, off);
  recorder.record(server, { ...off, message: "another" });
  await clock.advance(0);
  assert.deepEqual(
    list().map(({ count, message, lastTimestamp }) => [count, message, lastTimestamp]),
    [
      [3, "the BMC does not answer", "2030-01-01T00:01:00Z"],
      [1, "another", "2030-01-01T00:01:00Z"],
    ],
  );
  assert.deepEqual(writes, ["create", "patch", "create"]);
});

test("an Event that has expired is made anew", async () => {
  const { clock, events, recorder, list } = fixture();
  recorder.record(server, off);
  await clock.advance(7_200_000);
  events.clear();
  recorder.record(server, off);
  await clock.advance(0);
  assert.deepEqual(
    list().map(({ count, firstTimestamp }) => [count, firstTimestamp]),
    [[1, "2030-01-01T02:00:00Z"]],
  );
});

test("an object that says too much is cut short, and heard again later", async () => {
  const { clock, recorder, list } = fixture();
  for (let i = 0; i < 100; i++) recorder.record(server, { ...off, message: `number ${i}` });
  await clock.advance(0);
  assert.equal(list().length, 25);
  await clock.advance(300_000);
  for (let i = 0; i < 100; i++) recorder.record(server, { ...off, message: `later ${i}` });
  await clock.advance(0);
  assert.equal(list().length, 26);
});

test("a server that refuses does not harm the teller; messages fit", async () => {
  const { clock, state, recorder, list } = fixture();
  state.refusal = statusFault("Forbidden", "no");
  recorder.record(server, off);
  await clock.advance(0);
  state.refusal = undefined;
  recorder.record(server, { ...off, message: "x".repeat(5000) });
  await clock.advance(0);
  assert.equal(list().length, 1);
  assert.equal(list()[0]!.message.length, 1024);
});
