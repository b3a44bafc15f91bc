import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Log } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { digest } from "#io/node/digest.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { silentMetrics } from "#kube/metrics.ts";
import { Fault } from "#std/fault.ts";
import { dialTalos } from "./talos/client.ts";
import { createPlane } from "./plane.ts";

test("a disk that is full for long stops the controllers, not the API, and they lead again by themselves", async () => {
  const clock = new VirtualClock();
  const journal = new MemoryJournal();
  const store = await createStore({ journal, clock });
  const messages: string[] = [];
  const note = (message: string): void => void messages.push(message);
  const log: Log = { error: note, warn: () => {}, info: note, debug: () => {}, with: () => log };
  const entropy = new SeededEntropy(1);
  const clusters = { providers: new Set<never>(), dial: dialTalos, pki: createMemoryPki(), open: createHttpClient };
  const ports = { store, clock, entropy, digest, log, metrics: silentMetrics, clusters };
  const plane = createPlane({ ...ports, identity: "test", leaderElection: true });
  const stop = new AbortController();
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 50) await clock.advance(50);
  };
  const during = async <T>(work: Promise<T>): Promise<T> => {
    const [result] = await Promise.all([work, pass(3000)]);
    return result;
  };
  const { client } = plane;
  const available = async (): Promise<unknown> => (await client.for(ServerClass).get("any")).status?.serversAvailable;
  const create = (name: string): Promise<unknown> => client.for(Server).create({ metadata: { name }, spec: { accepted: true } });

  await during(plane.start(stop.signal));
  await during(create("a"));
  assert.deepEqual(await available(), ["a"]);

  journal.refusal = new Fault("io.no-space", "no space left", { fault: "world", retry: "soon" });
  await pass(20_000);
  assert.deepEqual(messages, ["leading", "leading no longer, waiting to lead again"]);
  await assert.rejects(create("b"), /no space left/);
  assert.deepEqual(await available(), ["a"]);

  journal.refusal = undefined;
  await during(create("c"));
  await pass(20_000);
  assert.deepEqual(messages, ["leading", "leading no longer, waiting to lead again", "leading"]);
  assert.deepEqual(await available(), ["a", "c"]);

  stop.abort();
  await during(plane.ended);
  await plane.stop();
  await store.close();
});
