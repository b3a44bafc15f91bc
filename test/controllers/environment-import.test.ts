/** `sidero assets`: files put into the store by a process beside the one that runs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { importAssets, listAssets, removeAssets } from "#cli/assets.ts";
import { createEnvironmentController } from "#controllers/environment/controller.ts";
import { Downloads } from "#controllers/environment/downloads.ts";
import type { Blobs } from "#io/blobs.ts";
import { silent } from "#io/log.ts";
import { createMemoryDownload } from "#io/memory/download.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { openBlobs } from "#io/node/blobs.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { Fault } from "#std/fault.ts";
import { startWorld } from "../kube/world.ts";

const sha512 = (bytes: Uint8Array): string => hash("sha512", bytes, "hex");
const isCode =
  (code: string, text = /./) =>
  (error: unknown) =>
    Fault.is(error, code) && text.test(error.message);

async function start(
  context: TestContext,
): Promise<{ directory: string; open: () => Promise<Blobs>; file: (bytes: Uint8Array) => Promise<string> }> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-import-"));
  let files = 0;
  context.after(() => rm(directory, { recursive: true }));
  return {
    directory,
    async open() {
      const blobs = await openBlobs({ directory: join(directory, "assets"), log: silent });
      context.after(() => blobs.close());
      return blobs;
    },
    async file(bytes) {
      const path = join(directory, `file${++files}`);
      await writeFile(path, bytes);
      return path;
    },
  };
}

test("import prints what sha512sum prints, and is the same twice", async (context) => {
  const { open, file } = await start(context);
  const store = await open();
  const paths = [await file(randomBytes(100_000)), await file(randomBytes(10))];
  const { stdout } = await promisify(execFile)("sha512sum", paths);
  for (let i = 0; i < 2; i++) assert.equal(`${(await importAssets(store, paths)).join("\n")}\n`, stdout);
  assert.equal((await store.list()).length, 2);
});

test("import with what does not fit: two files for one URL, another checksum, no file", async (context) => {
  const { open, file } = await start(context);
  const store = await open();
  const bytes = randomBytes(10);
  const path = await file(bytes);
  await assert.rejects(importAssets(store, [path, path], { url: "http://a/b" }), isCode("cli.usage"));
  await assert.rejects(importAssets(store, [path], { url: "file:///a" }), isCode("cli.usage"));
  await assert.rejects(importAssets(store, [path], { sha512: "0".repeat(128) }), isCode("io.checksum", /not 000/));
  await assert.rejects(importAssets(store, [`${path}.not`]), isCode("io.failed", /\.not: ENOENT/));
  assert.deepEqual([await store.list(), await store.names()], [[], []]);
  await importAssets(store, [path], { sha512: sha512(bytes).toUpperCase() });
});

test("list says where files came from and finds what is damaged; remove takes digests, their beginnings, URLs", async (context) => {
  const { open, file, directory } = await start(context);
  const store = await open();
  const [one, two, three] = [Buffer.from("one"), Buffer.from("two"), Buffer.from("three")];
  await importAssets(store, [await file(one)], { url: "http://a/one" });
  await store.name({ name: "http://b/one", sha512: sha512(one), keep: false });
  const twoPath = await file(two);
  await importAssets(store, [twoPath]);
  await importAssets(store, [await file(three)]);
  const threePath = join(directory, "assets", "sha512", sha512(three));
  await rm(threePath);
  await writeFile(threePath, "3");
  const lines = (await listAssets(store)).toSorted((a, b) => a.length - b.length);
  assert.equal(lines.length, 3);
  assert.ok(lines.some((line) => line === `${sha512(two)}  3  import of ${twoPath} (kept)`));
  const first = lines.find((line) => line.startsWith(`${sha512(one)}  3  `));
  assert.ok(first?.includes("http://a/one (kept)") && first.includes("http://b/one") && !first.includes("http://b/one (kept)"));
  assert.match(
    lines.find((line) => line.startsWith(sha512(three)))!,
    /DAMAGED, removed$/,
  );

  assert.deepEqual(await removeAssets(store, ["http://a/one"]), ["forgot http://a/one; its file has other names"]);
  assert.deepEqual(await removeAssets(store, ["http://b/one", sha512(two).slice(0, 8)]), [
    `removed ${sha512(one)}`,
    `removed ${sha512(two)}`,
  ]);
  for (const text of ["http://b/one", sha512(two), "", "0", "../x"]) {
    await assert.rejects(removeAssets(store, [text]), isCode("cli.usage", /there is no file/));
  }
  assert.deepEqual(await store.list(), []);
});

test("an import while Sidero runs, on a network without a way out, makes the Environment ready", async (context) => {
  const { open, file } = await start(context);
  const world = await startWorld();
  const [blobs, beside] = [await open(), await open()];
  const downloads = new Downloads({
    blobs,
    download: createMemoryDownload(new Map()),
    clock: world.clock,
    entropy: new SeededEntropy(1),
    log: silent,
  });
  context.after(async () => {
    await downloads.close();
    await world.stop();
  });
  world.run(createEnvironmentController(blobs, downloads));
  const [kernel, initrd] = [randomBytes(1000), randomBytes(2000)];
  const url = (name: string): string => `https://releases.example.org/${name}`;
  const spec = { kernel: { url: url("kernel") }, initrd: { url: url("initrd"), sha512: sha512(initrd) } };
  await world.client.for(Environment).create({ metadata: { name: "a" }, spec });
  const verdicts = async (): Promise<string> => {
    const { status } = await world.client.for(Environment).get("a");
    return (status?.conditions ?? []).map((condition) => condition.reason).join();
  };
  const until = async (expected: string): Promise<void> => {
    // The disk tells in its own time, the controller works in the world's.
    for (let tries = 0; (await verdicts()) !== expected; tries++) {
      assert.ok(tries < 200, await verdicts());
      await setTimeout(10);
      await world.pass(100);
    }
  };
  await until("DownloadFailed,DownloadFailed");
  await importAssets(beside, [await file(initrd)]);
  await until("DownloadFailed,Downloaded");
  await importAssets(beside, [await file(kernel)], { url: url("kernel") });
  await until("Downloaded,Downloaded");
  await removeAssets(beside, [sha512(kernel)]);
  await until("DownloadFailed,Downloaded");
});
