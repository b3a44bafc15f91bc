/** The client, the cache, events and leader election on our server (in this process) and on the genuine one: the same answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { Cache } from "#kube/cache.ts";
import type { Client, WatchEvent } from "#kube/client.ts";
import { createRecorder, KubeEvent } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { lead, Lease, type Leadership } from "#kube/lease.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { withoutPeer } from "../peers/locate.ts";
import { startGenuine } from "../peers/server.ts";
import { connect } from "./connect.ts";
import { type Eventually, inRealTime, patience } from "./eventually.ts";
import { startWorld } from "./world.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const ConfigMap = kindRef<ConfigMap>({ group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", scope: "Namespaced" });

interface Ports {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly eventually: Eventually;
}

const refusal = async (promise: Promise<unknown>): Promise<[code: string, retry: string]> => {
  const error: unknown = await promise.then(
    () => assert.fail("was not refused"),
    (caught: unknown) => caught,
  );
  assert.ok(Fault.is(error), String(error));
  return [error.code, error.retry];
};

async function verbs({ client }: Ports): Promise<void> {
  const maps = client.for(ConfigMap).in("default");
  const made = await maps.create({ metadata: { name: "a", labels: { of: "verbs" } }, data: { x: "1" } });
  assert.deepEqual([made.apiVersion, made.kind, made.metadata.namespace], ["v1", "ConfigMap", "default"]);
  assert.deepEqual(await refusal(maps.create({ metadata: { name: "a" } })), ["api.already-exists", "never"]);
  assert.deepEqual(await refusal(maps.get("absent")), ["api.not-found", "never"]);
  assert.deepEqual(await refusal(maps.create({ metadata: { name: "Not a name" } })), ["api.invalid", "never"]);
  assert.deepEqual(await refusal(maps.create({ metadata: { name: "b", namespace: "absent" } })), ["api.not-found", "never"]);

  const changed = await maps.update({ ...made, data: { x: "2" } });
  assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion);
  assert.deepEqual(await refusal(maps.update({ ...made, data: { x: "3" } })), ["api.conflict", "soon"]);
  assert.deepEqual((await maps.patch("a", { data: { y: "1", x: null } })).data, { y: "1" });
  assert.deepEqual((await maps.patch("a", [{ op: "add", path: "/data/z", value: "2" }], { type: "json" })).data, {
    y: "1",
    z: "2",
  });
  assert.deepEqual((await maps.patch("a", { data: { $patch: "delete" } }, { type: "strategic" })).data, undefined);
  const stale = { metadata: { resourceVersion: made.metadata.resourceVersion! }, data: { x: "4" } };
  assert.deepEqual(await refusal(maps.patch("a", stale)), ["api.conflict", "soon"]);
  assert.deepEqual((await maps.patch("a", { data: { dry: "run" } }, { dryRun: true })).data, { dry: "run" });
  assert.equal((await maps.get("a")).data, undefined);
  assert.deepEqual(await refusal(maps.create({ metadata: { name: "b" }, odd: 1 }, { fieldValidation: "Strict" })), [
    "api.bad-request",
    "never",
  ]);

  assert.deepEqual(await refusal(maps.delete("a", { preconditions: { uid: "other" } })), ["api.conflict", "soon"]);
  await maps.delete("a", { preconditions: { uid: made.metadata.uid! } });
  assert.deepEqual(await refusal(maps.delete("a")), ["api.not-found", "never"]);
}

async function listsAndWatches({ client }: Ports): Promise<void> {
  const maps = client.for(ConfigMap).in("default");
  for (const name of ["a", "b", "c", "d", "e"]) await maps.create({ metadata: { name, labels: { of: "lists" } } });
  const { items, metadata } = await maps.listAll({ limit: 2, labelSelector: "of=lists" });
  assert.deepEqual(
    items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
    ["a", "b", "c", "d", "e"].map((name) => ["v1", "ConfigMap", name]),
  );
  assert.deepEqual(
    (await client.for(ConfigMap).list({ fieldSelector: "metadata.name=b", labelSelector: "of=lists" })).items.length,
    1,
  );
  assert.deepEqual(await refusal(maps.list({ labelSelector: "=" })), ["api.bad-request", "never"]);
  assert.deepEqual(await refusal(maps.list({ continue: "nonsense" })), ["api.bad-request", "never"]);

  const events: WatchEvent<ConfigMap>[] = [];
  const watching = (async () => {
    const options = { resourceVersion: metadata.resourceVersion, labelSelector: "of=lists", timeoutSeconds: 60 };
    for await (const event of maps.watch(options)) {
      if (event.type !== "BOOKMARK") events.push(event);
      if (events.length === 4) break;
    }
  })();
  await maps.patch("a", { data: { x: "1" } });
  await maps.patch("b", { metadata: { labels: { of: "others" } } });
  await maps.patch("b", { metadata: { labels: { of: "lists" } } });
  await maps.delete("a");
  await watching;
  const told = events.map((event) => [event.type, event.type === "BOOKMARK" ? "" : event.object.metadata.name]);
  assert.deepEqual(told, [
    ["MODIFIED", "a"],
    ["DELETED", "b"],
    ["ADDED", "b"],
    ["DELETED", "a"],
  ]);
}

async function cached({ client, clock, entropy, eventually }: Ports): Promise<void> {
  const resource = client.for(ConfigMap);
  const maps = resource.in("default");
  const cache = new Cache({ resource, clock, entropy, log: silent, labelSelector: "of=cache" });
  const stop = new AbortController();
  const running = cache.run(stop.signal);
  const first = await maps.create({ metadata: { name: "c1", labels: { of: "cache" } }, data: { x: "1" } });
  await eventually(async () => cache.isSynced, true);
  await cache.reached(first.metadata.resourceVersion!);
  assert.deepEqual(cache.get("default/c1")?.data, { x: "1" });
  for (let i = 2; i < 20; i++) {
    const { metadata } = await maps.patch("c1", { data: { x: String(i) } });
    await cache.reached(metadata.resourceVersion!);
    assert.deepEqual(cache.get("default/c1")?.data, { x: String(i) });
  }
  await maps.delete("c1");
  await eventually(async () => cache.size, 0);
  stop.abort();
  await running;
}

async function eventsTold({ client, clock, entropy, eventually }: Ports): Promise<void> {
  const about = await client
    .for(ConfigMap)
    .in("default")
    .create({ metadata: { name: "told" } });
  const recorder = createRecorder({ client, clock, entropy, log: silent, component: "sidero", instance: "test" });
  const said = { type: "Warning", reason: "Odd", message: "something is odd" } as const;
  recorder.record(about, said);
  const counts = async (): Promise<unknown> => {
    const { items } = await client.for(KubeEvent).in("default").list();
    return items.filter((event) => event.involvedObject.uid === about.metadata.uid).map(({ reason, count }) => [reason, count]);
  };
  await eventually(counts, [["Odd", 1]]);
  recorder.record(about, said);
  await eventually(counts, [["Odd", 2]]);
}

async function leaders({ client, clock, entropy, eventually }: Ports): Promise<void> {
  const times = { leaseDuration: 3000, renewDeadline: 2000, retryPeriod: 300 };
  const held = new Map<string, Leadership>();
  const candidate = (identity: string): { stop: AbortController; ended: Promise<void> } => {
    const stop = new AbortController();
    const options = { client, clock, entropy, log: silent, namespace: "default", name: "leaders", identity, times };
    const ended = lead(options, stop.signal, async (leadership) => {
      held.set(identity, leadership);
      await new Promise((resolve) => leadership.signal.addEventListener("abort", resolve, { once: true }));
    });
    return { stop, ended };
  };
  const leading = async (): Promise<string[]> =>
    [...held].filter(([, leadership]) => leadership.isHeld()).map(([identity]) => identity);
  const a = candidate("a");
  await eventually(leading, ["a"]);
  const b = candidate("b");
  const { spec } = await client.for(Lease).in("default").get("leaders");
  assert.deepEqual([spec?.holderIdentity, spec?.leaseDurationSeconds, spec?.leaseTransitions], ["a", 3, 0]);
  a.stop.abort();
  await eventually(leading, ["b"]);
  b.stop.abort();
  await eventually(async () => (await client.for(Lease).in("default").get("leaders")).spec?.holderIdentity, "");
  await Promise.all([a.ended, b.ended]);
}

const PROOFS = { verbs, "lists and watches": listsAndWatches, cache: cached, events: eventsTold, leaders };

test("ours, in this process", async (t) => {
  const world = await startWorld();
  const { client, clock } = world;
  const eventually = patience(() => world.pass(50));
  for (const [name, proof] of Object.entries(PROOFS)) {
    await t.test(name, () => proof({ client, clock, entropy: new SeededEntropy(5), eventually }));
  }
  await world.stop();
});

test("the genuine server", { skip: withoutPeer("refapi"), timeout: 60_000 }, async (t) => {
  const server = await startGenuine();
  const { client, close } = await connect(server.kubeconfig);
  for (const [name, proof] of Object.entries(PROOFS)) {
    await t.test(name, () => proof({ client, clock: systemClock, entropy: systemEntropy, eventually: inRealTime }));
  }
  await close();
  await server.stop();
});
