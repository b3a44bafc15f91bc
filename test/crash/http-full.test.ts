/** A full disk, seen from the clients of `bin/sidero up`: writes are refused clearly, all else goes on, and space is all it takes. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Client } from "#kube/client.ts";
import type { Status } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { connect } from "../kube/connect.ts";
import { access, ask, end, launch, type Sidero, untilReady } from "../main/sidero.ts";
import { Chronicle, revisionOf } from "./http-chronicle.ts";
import { Watcher } from "./http-watcher.ts";
import { ConfigMap, makeNamespace, Writer } from "./http-writer.ts";
import { BALLAST, fill, grow, smallDisk } from "./small-disk.ts";

/** What the disk has left when the load begins. */
const SPARE = 2 * 1024 * 1024;
const entropy = new SeededEntropy(1);

function isRefusal(data: string, error: unknown): boolean {
  assert.ok(Fault.is(error), String(error));
  const message = `Internal error occurred: no space left on the disk of ${data}: nothing was written; free some and try again`;
  const { code, reason } = error.facts["status"] as Status;
  assert.deepEqual([code, reason, error.message], [500, "InternalError", message]);
  return true;
}

test("clients of a server whose disk is full read, watch, and write again when there is space", async (context) => {
  let sidero: Sidero | undefined;
  const disk = await smallDisk(context, async () => sidero?.child.stop("SIGKILL"));
  const data = join(disk, "data");
  const chronicle = new Chronicle();
  const start = async (address: string): Promise<Client> => {
    sidero = launch(data, { "api-address": address });
    await untilReady(sidero);
    const { client, close } = await connect(sidero.kubeconfig);
    context.after(close);
    return client;
  };
  const writer = (client: Client, name: string): Writer => new Writer(client, ConfigMap, name, chronicle);
  const isRefused = (error: unknown): boolean => isRefusal(data, error);

  let client = await start("127.0.0.1:0");
  const admin = await access(sidero!);
  await makeNamespace(client);
  const begin = await client.for(ConfigMap).listAll();
  const watchers = [0, 1].map(() => new Watcher(ConfigMap, begin, chronicle));
  let following = Promise.all(watchers.map((watcher) => watcher.follow(client)));
  /** Everybody sees the same, which is what is there. */
  const agree = async (revision: number): Promise<void> => {
    await Promise.all(watchers.map((watcher) => watcher.reach(revision)));
    const list = await client.for(ConfigMap).listAll();
    for (const watcher of watchers) watcher.check(list);
  };
  /** A write that is taken and seen by all. */
  const touch = async (name: string): Promise<void> => agree(revisionOf((await writer(client, name).step(name, entropy))!));

  await fill(disk, SPARE);
  const loads = ["a", "b", "c", "d"].map((name) => writer(client, name).run(entropy, () => {}));
  for (const outcome of await Promise.allSettled(loads)) assert.ok(outcome.status === "rejected" && isRefused(outcome.reason));
  assert.ok(chronicle.acknowledged > 200, `${chronicle.acknowledged} writes fit`);
  await fill(disk);
  const burst = Array.from({ length: 40 }, (_, i) => writer(client, "burst").step(`burst-${i}`, entropy));
  for (const outcome of await Promise.allSettled(burst)) assert.ok(outcome.status === "rejected" && isRefused(outcome.reason));
  await agree(0);
  await watchers[0]!.retell(client, 300, AbortSignal.timeout(30_000));
  for (const path of ["/readyz", "/livez"]) assert.deepEqual(await ask(admin, path), { status: 200, text: "ok" });

  await rm(join(disk, BALLAST));
  await grow(disk);
  await touch("with-space");

  // It ends and starts on a full disk as on any other; the kubeconfig is as it was, so nothing has to be written.
  await fill(disk);
  await end(sidero!);
  await following;
  client = await start(new URL(admin.server).host);
  chronicle.find(ConfigMap, await client.for(ConfigMap).listAll());
  following = Promise.all(watchers.map((watcher) => watcher.follow(client)));
  await assert.rejects(async () => {
    for (let i = 0; ; i++) await writer(client, "again").step(`again-${i}`, entropy);
  }, isRefused);
  await rm(join(disk, BALLAST));
  await touch("with-space-again");

  await sidero!.child.stop("SIGKILL");
  await following;
  client = await start("127.0.0.1:0");
  chronicle.find(ConfigMap, await client.for(ConfigMap).listAll());
});
