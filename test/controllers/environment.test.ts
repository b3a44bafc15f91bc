/** Environments on an API server in this process, under a virtual clock, with a web and a disk in memory. */
import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { afterEach, test } from "node:test";
import { type Assets, createAssets } from "#boot/assets.ts";
import { createEnvironmentController } from "#controllers/environment/controller.ts";
import { Downloads } from "#controllers/environment/downloads.ts";
import { createAssetStoreController } from "#controllers/environment/store.ts";
import { unreadiness } from "#decide/environment/asset.ts";
import { TALOS_RELEASE } from "#decide/environment/default.ts";
import { silent } from "#io/log.ts";
import { MemoryBlobs } from "#io/memory/blobs.ts";
import { createMemoryDisk, type MemoryDisk } from "#io/memory/disk.ts";
import { createMemoryDownload } from "#io/memory/download.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Handler } from "#io/serve.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { KubeEvent } from "#kube/events.ts";
import { isWrite, type Process, startWorld, type World } from "../kube/world.ts";

const ORIGIN = "https://files.example.org";
const KERNEL = `${ORIGIN}/kernel`;
const INITRD = `${ORIGIN}/initrd`;
const sha512 = (bytes: Uint8Array): string => hash("sha512", bytes, "hex");
const kernel = Buffer.from("a kernel");
const initrd = randomBytes(5000);

type Spec = NonNullable<Environment["spec"]>;
type Status = NonNullable<Environment["status"]>;

/** A Sidero with its doors; `files` is the web: content, or a status, by path. */
class Rig {
  readonly files = new Map<string, Uint8Array | number>();
  readonly requests: string[] = [];
  readonly disk: MemoryDisk = createMemoryDisk();
  readonly blobs = new MemoryBlobs({ sha512, disk: this.disk });
  readonly origins = new Map<string, Handler>();
  readonly world: World;
  downloads!: Downloads;
  process!: Process;
  assets!: Assets;

  constructor(world: World) {
    this.world = world;
    this.files.set("/kernel", kernel).set("/initrd", initrd);
    this.origins.set(ORIGIN, async ({ target, headers }) => {
      this.requests.push([target, headers["range"]].filter((part) => part !== undefined).join(" "));
      const file = this.files.get(target) ?? 404;
      if (typeof file === "number") return { status: file, headers: {}, body: [] };
      const from = Number(/^bytes=(\d+)-$/.exec(headers["range"] ?? "")?.[1] ?? 0);
      const etag = `"${sha512(file).slice(0, 9)}"`;
      const isRange = from > 0 && headers["if-range"] === etag;
      const body = Buffer.from(file).subarray(isRange ? from : 0);
      const range = isRange ? { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` } : {};
      return { status: isRange ? 206 : 200, headers: { etag, "content-length": String(body.length), ...range }, body: [body] };
    });
  }

  async run(): Promise<void> {
    const { blobs, world } = this;
    const { clock } = world;
    const download = createMemoryDownload(this.origins);
    this.downloads = new Downloads({ blobs, download, clock, entropy: new SeededEntropy(1), log: silent });
    this.process = world.run(
      createEnvironmentController(blobs, this.downloads),
      createAssetStoreController(blobs, this.downloads, clock),
    );
    const cache = this.process.runtime.cache(Environment);
    const inventory = { environment: (name: string) => cache.get(name) };
    this.assets = await createAssets({ blobs, inventory, agentImage: "agent", clock, log: silent });
    await this.pass(500);
  }

  /** What runs ends, as by kill -9. */
  async kill(): Promise<void> {
    await this.process.kill();
    await this.downloads.close();
  }

  async pass(milliseconds: number): Promise<void> {
    await this.world.pass(milliseconds);
  }

  /** Lets a long time pass, in larger steps. */
  async later(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 1000) await this.world.clock.advance(1000);
    await this.pass(500);
  }

  create(name: string, spec: Spec): Promise<Environment> {
    return this.world.client.for(Environment).create({ metadata: { name }, spec });
  }

  edit(name: string, spec: object): Promise<Environment> {
    return this.world.client.for(Environment).patch(name, { spec: JSON.parse(JSON.stringify(spec)) });
  }

  async conditions(name: string): Promise<NonNullable<Status["conditions"]>> {
    return (await this.world.client.for(Environment).get(name)).status?.conditions ?? [];
  }

  /** `True Downloaded` for each file. */
  async verdicts(name: string): Promise<string[]> {
    return (await this.conditions(name)).map(({ status, reason }) => `${status} ${reason}`);
  }

  async served(
    name: string,
    file: "vmlinuz" | "initramfs.xz",
    architecture: "amd64" | "arm64" = "amd64",
  ): Promise<Buffer | undefined> {
    const blob = await this.assets.find(name, architecture, file);
    if (blob === undefined) return undefined;
    const pieces: Buffer[] = [];
    for await (const piece of blob.read(0, blob.size)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async events(): Promise<string[]> {
    const { items } = await this.world.client.for(KubeEvent).in("default").list();
    return items.map(({ involvedObject, type, reason }) => `${involvedObject.name}: ${type} ${reason}`).toSorted();
  }
}

let rig: Rig;
async function start(): Promise<Rig> {
  rig = new Rig(await startWorld());
  await rig.run();
  return rig;
}
afterEach(async () => {
  await rig.downloads.close();
  await rig.world.stop();
});

const SPEC: Spec = { kernel: { url: KERNEL, args: ["quiet"] }, initrd: { url: INITRD } };
const READY = ["True Downloaded", "True Downloaded"];

test("an Environment becomes ready, with upstream's status and why", async () => {
  await start();
  await rig.create("a", { kernel: { url: KERNEL, sha512: sha512(kernel).toUpperCase() }, initrd: { url: INITRD } });
  await rig.pass(1000);
  const [first, second] = await rig.conditions("a");
  assert.deepEqual(
    { ...first, lastTransitionTime: "" },
    {
      url: KERNEL,
      sha512: sha512(kernel),
      status: "True",
      type: "Ready",
      reason: "Downloaded",
      message: "8 B; its sha512 is right",
      lastTransitionTime: "",
    },
  );
  assert.deepEqual([second?.sha512, second?.status], [sha512(initrd), "True"]);
  assert.match(second?.message ?? "", /4\.9 KiB; no sha512 is given/);
  assert.deepEqual(await rig.served("a", "vmlinuz"), kernel);
  assert.deepEqual(await rig.served("a", "initramfs.xz"), initrd);
  const environment = await rig.world.client.for(Environment).get("a");
  assert.equal(unreadiness(environment, "amd64"), undefined);
  assert.match(unreadiness(environment, "arm64")!, /nothing for arm64/);
  assert.equal(await rig.served("a", "vmlinuz", "arm64"), undefined, "never a kernel of another architecture");
  assert.ok((await rig.events()).includes("a: Normal Downloaded"));
});

test("nothing is written or downloaded when nothing changes, also by a new process; two Environments share their files", async () => {
  await start();
  await rig.create("a", SPEC);
  await rig.pass(2000);
  await rig.create("b", SPEC);
  await rig.pass(2000);
  assert.deepEqual(await rig.verdicts("b"), READY);
  assert.deepEqual(rig.requests.toSorted(), ["/initrd", "/kernel"]);
  assert.equal((await rig.blobs.list()).length, 2);
  await rig.kill();
  const { length } = rig.world.requests.filter(isWrite);
  await rig.run();
  await rig.later(1_300_000);
  const writes = rig.world.requests.filter(isWrite).slice(length);
  assert.deepEqual(
    writes.filter((line) => /\/[ab]\//.test(line)),
    [],
  );
  assert.deepEqual(rig.requests.toSorted(), ["/initrd", "/kernel"]);
});

test("default is made, and made again, with files for both architectures; one that is there stays as it is", async () => {
  await start();
  const environments = rig.world.client.for(Environment);
  const made = await environments.get("default");
  assert.match(made.spec?.kernel?.url ?? "", new RegExp(`/${TALOS_RELEASE}/vmlinuz-amd64$`));
  await rig.pass(2000);
  assert.deepEqual(
    await rig.verdicts("default"),
    Array.from({ length: 4 }, () => "False DownloadFailed"),
  );
  assert.match((await rig.conditions("default"))[0]!.message!, /no route to host.*trying again at 20/);
  await environments.delete("default");
  await rig.pass(1000);
  assert.equal((await environments.get("default")).spec?.kernel?.url, made.spec?.kernel?.url);
  await rig.edit("default", SPEC);
  await rig.pass(1000);
  assert.equal((await environments.get("default")).spec?.kernel?.url, KERNEL);
});

test("a wrong checksum is never served, and the condition says what was expected and what came", async () => {
  await start();
  const wrong = sha512(Buffer.from("another kernel"));
  await rig.create("a", { kernel: { url: KERNEL, sha512: wrong }, initrd: { url: INITRD } });
  await rig.pass(1000);
  const [condition] = await rig.conditions("a");
  assert.deepEqual([condition?.status, condition?.reason, condition?.sha512], ["False", "ChecksumMismatch", wrong]);
  assert.ok(condition?.message?.includes(wrong) && condition.message.includes(sha512(kernel)));
  assert.equal(await rig.served("a", "vmlinuz"), undefined);
  assert.deepEqual(await rig.served("a", "initramfs.xz"), initrd);
  assert.ok((await rig.events()).includes("a: Warning ChecksumMismatch"));
  // The server is mended: found by itself.
  rig.files.set("/kernel", Buffer.from("another kernel"));
  await rig.later(60_000);
  assert.deepEqual(await rig.verdicts("a"), READY);
  // The spec is wrong, and mended.
  await rig.edit("a", { kernel: { sha512: sha512(kernel) } });
  await rig.pass(1000);
  assert.equal((await rig.verdicts("a"))[0], "False ChecksumMismatch");
  assert.equal(await rig.served("a", "vmlinuz"), undefined);
  await rig.edit("a", { kernel: { sha512: wrong } });
  await rig.pass(1000);
  assert.deepEqual(await rig.verdicts("a"), READY);
});

test("what is in the spec but cannot be: no URL, another scheme, a checksum that is none", async () => {
  await start();
  await rig.create("a", { kernel: {}, initrd: { url: INITRD, sha512: "abc" } });
  await rig.create("b", { kernel: { url: "file:///etc/shadow" }, initrd: { url: "http://169.254.169.254/latest" } });
  await rig.create("c", {});
  await rig.pass(3000);
  assert.deepEqual(await rig.verdicts("a"), ["False NoUrl", "False InvalidChecksum"]);
  assert.equal((await rig.verdicts("b"))[0], "False InvalidUrl");
  assert.match((await rig.conditions("b"))[0]!.message!, /not by "file"; not trying again until the spec changes/);
  assert.deepEqual(await rig.verdicts("c"), ["False NoUrl", "False NoUrl"]);
  assert.deepEqual(rig.requests, []);
});

test("failures are tried again, less and less often, and at once when the spec changes", async () => {
  await start();
  rig.files.set("/kernel", 503);
  await rig.create("a", SPEC);
  await rig.pass(1000);
  assert.match((await rig.conditions("a"))[0]!.message!, /the server answers 503; trying again at/);
  await rig.later(600_000);
  const tries = rig.requests.filter((request) => request === "/kernel").length;
  assert.ok(tries >= 10 && tries <= 25, `${tries} in ten minutes`);
  assert.match((await rig.conditions("a"))[0]!.message!, /\(\d+ times in a row\)/);
  rig.files.set("/elsewhere", kernel);
  await rig.edit("a", { kernel: { url: `${ORIGIN}/elsewhere` } });
  await rig.pass(200);
  assert.deepEqual(await rig.verdicts("a"), READY);
});

test("without a sha512 the file stays what it was first, whatever the server has later and whatever is lost here", async () => {
  await start();
  await rig.create("a", SPEC);
  await rig.pass(1000);
  rig.files.set("/kernel", Buffer.from("a newer kernel"));
  const lose = async (): Promise<void> => {
    rig.blobs.contents.clear();
    rig.blobs.changed();
    await rig.pass(1000);
  };
  await lose();
  const [condition] = await rig.conditions("a");
  assert.deepEqual([condition?.status, condition?.reason, condition?.sha512], ["False", "ChecksumMismatch", sha512(kernel)]);
  assert.match(condition!.message!, /not the one that was downloaded first.*set spec\.kernel\.sha512 to take the new one/);
  assert.equal(await rig.served("a", "vmlinuz"), undefined);
  // Also when the disk was new, while the API remembered.
  rig.files.set("/kernel", kernel);
  await rig.later(900_000);
  assert.deepEqual(await rig.verdicts("a"), READY);
  rig.files.set("/kernel", Buffer.from("a newer kernel"));
  await rig.blobs.forget(KERNEL);
  await lose();
  assert.equal((await rig.verdicts("a"))[0], "False ChecksumMismatch");
  await rig.edit("a", { kernel: { sha512: sha512(Buffer.from("a newer kernel")) } });
  await rig.pass(1000);
  assert.deepEqual(await rig.verdicts("a"), READY);
});

test("readiness is what is on the disk: what goes or rots is fetched again", async () => {
  await start();
  await rig.create("a", SPEC);
  await rig.pass(1000);
  rig.origins.delete(ORIGIN);
  rig.blobs.contents.delete(sha512(kernel));
  rig.blobs.changed();
  await rig.pass(500);
  assert.deepEqual(await rig.verdicts("a"), ["False DownloadFailed", "True Downloaded"]);
  // Damaged while nobody was running.
  await rig.kill();
  rig.blobs.contents.set(sha512(initrd), Buffer.from("rotten"));
  await rig.run();
  assert.deepEqual(await rig.verdicts("a"), ["False DownloadFailed", "False DownloadFailed"]);
  assert.equal(await rig.served("a", "initramfs.xz"), undefined);
  const back = new Rig(rig.world);
  rig.origins.set(ORIGIN, back.origins.get(ORIGIN)!);
  await rig.later(60_000);
  assert.deepEqual(await rig.verdicts("a"), READY);
});

test("files for arm64 are files of their own", async () => {
  await start();
  rig.files.set("/arm", Buffer.from("an arm64 kernel"));
  await rig.create("a", { ...SPEC, arm64: { kernel: { url: `${ORIGIN}/arm` }, initrd: { url: INITRD } } });
  await rig.pass(1000);
  // One condition for each file, not for each mention.
  assert.deepEqual(
    (await rig.conditions("a")).map(({ url }) => url),
    [KERNEL, INITRD, `${ORIGIN}/arm`],
  );
  assert.equal(String(await rig.served("a", "vmlinuz", "arm64")), "an arm64 kernel");
  assert.deepEqual(await rig.served("a", "initramfs.xz", "arm64"), initrd);
  const environment = await rig.world.client.for(Environment).get("a");
  assert.deepEqual([unreadiness(environment, "amd64"), unreadiness(environment, "arm64")], [undefined, undefined]);
});

test("imported files are found by their digest or URL, win over what was downloaded, and stay", async () => {
  await start();
  rig.origins.delete(ORIGIN);
  const [one, two] = [Buffer.from("imported kernel"), Buffer.from("imported initrd")];
  await rig.disk.writeAtomic("one", one, 0o600);
  await rig.disk.writeAtomic("two", two, 0o600);
  const blob = await rig.blobs.adopt("one");
  await rig.blobs.name({ name: KERNEL, sha512: blob.sha512, keep: true });
  await rig.blobs.name({ name: "import of two", sha512: (await rig.blobs.adopt("two")).sha512, keep: true });
  await rig.later(10_000_000);
  await rig.create("a", { kernel: { url: KERNEL }, initrd: { url: INITRD, sha512: sha512(two) } });
  await rig.pass(500);
  assert.deepEqual(await rig.verdicts("a"), READY);
  assert.deepEqual(await rig.served("a", "vmlinuz"), one);
  // A newer import for the same URL takes the place of the older.
  await rig.blobs.name({ name: KERNEL, sha512: sha512(two), keep: true });
  await rig.pass(500);
  assert.deepEqual(await rig.served("a", "vmlinuz"), two);
});

test("an Environment that goes releases its files after an hour, those of others and of people stay", async () => {
  await start();
  await rig.create("a", SPEC);
  await rig.create("b", { kernel: { url: KERNEL }, initrd: { url: `${ORIGIN}/missing` } });
  await rig.disk.writeAtomic("mine", Buffer.from("mine"), 0o600);
  await rig.blobs.name({ name: "mine", sha512: (await rig.blobs.adopt("mine")).sha512, keep: true });
  await rig.pass(2000);
  await rig.world.client.for(Environment).delete("a");
  await rig.later(3_000_000);
  assert.equal((await rig.blobs.list()).length, 3);
  // Back in time: nothing is downloaded.
  await rig.create("a", SPEC);
  await rig.pass(2000);
  assert.deepEqual(await rig.verdicts("a"), READY);
  assert.equal(rig.requests.filter((request) => request === "/initrd").length, 1);
  await rig.world.client.for(Environment).delete("a");
  await rig.later(3_700_000);
  assert.deepEqual((await rig.blobs.list()).map(({ size }) => size).toSorted(), [4, kernel.length]);
  assert.ok(!(await rig.blobs.names()).some(({ name }) => name === INITRD));
  assert.deepEqual(await rig.served("b", "vmlinuz"), kernel);
  // Nobody downloads for an Environment that is gone.
  await rig.world.client.for(Environment).delete("b");
  await rig.pass(2000);
  const { length } = rig.requests;
  await rig.later(1_000_000);
  assert.equal(rig.requests.length, length);
});

test("the agent's files are served as soon as they are there, whatever Environment has their name", async () => {
  await start();
  await rig.create("agent-amd64", SPEC);
  await rig.pass(1000);
  assert.equal(await rig.served("agent-amd64", "vmlinuz"), undefined);
  await rig.disk.makeDirectory("agent", 0o700);
  await rig.disk.writeAtomic("agent/vmlinuz-amd64", Buffer.from("agent's kernel"), 0o600);
  await rig.disk.writeAtomic("agent/initramfs-arm64", Buffer.from("agent's initrd"), 0o600);
  await rig.pass(5000);
  assert.equal(String(await rig.served("agent-amd64", "vmlinuz")), "agent's kernel");
  assert.equal(String(await rig.served("agent-arm64", "initramfs.xz", "arm64")), "agent's initrd");
  assert.equal(await rig.served("agent-arm64", "vmlinuz", "arm64"), undefined);
  await rig.later(8_000_000);
  assert.equal(String(await rig.served("agent-amd64", "vmlinuz")), "agent's kernel");
});
