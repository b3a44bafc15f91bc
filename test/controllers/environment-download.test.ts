/** Downloads from a web server that is not ours and does what it can to be a bad one, into a store on a disk. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, stat, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Downloads } from "#controllers/environment/downloads.ts";
import type { DownloadState } from "#decide/environment/environment.ts";
import type { Wish } from "#decide/environment/store.ts";
import type { Blobs } from "#io/blobs.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { openBlobs } from "#io/node/blobs.ts";
import { systemClock } from "#io/node/clock.ts";
import { createDownloads } from "#io/node/download.ts";
import { type Manners, startWeb, type Web } from "./web.ts";

const sha512 = (bytes: Uint8Array): string => hash("sha512", bytes, "hex");
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env["ROUNDS"] ?? 40);

interface Bench {
  readonly directory: string;
  readonly web: Web;
  readonly blobs: Blobs;
  readonly downloads: Downloads;
  /** One attempt; undefined when the file is there. */
  attempt(wish: Wish): Promise<DownloadState | undefined>;
}

async function start(context: TestContext, manners: Manners): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-environment-"));
  const web = await startWeb(manners);
  const blobs = await openBlobs({ directory, log: silent });
  const { download, close } = createDownloads({ silence: 1000 });
  const downloads = new Downloads({ blobs, download, clock: systemClock, entropy: new SeededEntropy(SEED), log: silent });
  context.after(async () => {
    await downloads.close();
    await Promise.all([close(), web.close(), blobs.close()]);
    await rm(directory, { recursive: true });
  });
  const attempt = (wish: Wish): Promise<DownloadState | undefined> =>
    new Promise((resolve) => {
      const end = downloads.onChange(() => {
        const state = downloads.stateOf(wish);
        if (state?.is === "running") return;
        end();
        resolve(state);
      });
      downloads.start(wish);
    });
  return { directory, web, blobs, downloads, attempt };
}

async function bytesOf(blobs: Blobs, digest: string): Promise<Buffer | undefined> {
  const blob = await blobs.find(digest);
  if (blob === undefined) return undefined;
  const pieces: Buffer[] = [];
  for await (const piece of blob.read(0, blob.size)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("a connection that breaks again and again costs nothing twice", async (context) => {
  const content = randomBytes(1_000_000);
  const { web, attempt, blobs } = await start(context, { content, cutAfter: 300_000 });
  const wish = { url: `${web.origin}/f`, sha512: sha512(content) };
  let attempts = 0;
  for (let state = await attempt(wish); state !== undefined; state = await attempt(wish)) {
    assert.ok(state.is === "failed" && state.because.code === "io.unreachable" && state.failures === 1, JSON.stringify(state));
    assert.ok(++attempts < 8);
  }
  assert.ok(content.equals((await bytesOf(blobs, wish.sha512))!));
  const starts = web.requests.map((request) => Number(/bytes=(\d+)-/.exec(request)?.[1] ?? 0));
  assert.deepEqual(
    starts,
    starts.toSorted((a, b) => a - b),
  );
  assert.ok(starts.at(-1)! >= 600_000, String(starts));
});

test("a file that changes while it is downloaded is downloaded anew, never mixed", async (context) => {
  const [one, two] = [randomBytes(500_000), randomBytes(600_000)];
  const { web, attempt, blobs } = await start(context, { content: one, cutAfter: 200_000 });
  const wish = { url: `${web.origin}/f`, sha512: undefined };
  assert.equal((await attempt(wish))?.is, "failed");
  web.manners = { content: two };
  assert.equal(await attempt(wish), undefined);
  assert.equal((await blobs.named(wish.url))?.sha512, sha512(two));
  assert.equal((await blobs.list()).length, 1);
});

test("what was damaged on the way is thrown away, and the next attempt begins at the first byte, soon", async (context) => {
  const content = randomBytes(500_000);
  const { web, attempt, blobs } = await start(context, { content, damageAt: 1000, cutAfter: 200_000 });
  const wish = { url: `${web.origin}/f`, sha512: sha512(content) };
  assert.equal((await attempt(wish))?.is, "failed");
  web.manners = { content };
  const state = await attempt(wish);
  assert.ok(state?.is === "failed" && state.because.code === "io.checksum" && state.because.retry === "soon");
  assert.deepEqual(await blobs.list(), []);
  assert.equal(await attempt(wish), undefined);
  assert.equal(web.requests.at(-1), "GET /f");
});

test("failures are told with their reason", async (context) => {
  const content = randomBytes(1000);
  const { web, attempt } = await start(context, { content });
  for (const [manners, code, text] of [
    [{ status: 404 }, "io.refused", /404/],
    [{ status: 500 }, "io.refused", /500/],
    [{ location: "/again" }, "io.redirect", /more than 10 redirects/],
    [{ hangAfter: 10 }, "io.unreachable", /timeout/i],
    [{ encoding: "br" }, "io.protocol", /br/],
    [{ content: Buffer.alloc(0) }, "io.protocol", /empty/],
    [{ lengthOff: 5 }, "io.unreachable", /./],
    [{ untilClose: true }, "io.protocol", /how long/],
  ] as const) {
    web.manners = { content, ...manners };
    const state = await attempt({ url: `${web.origin}/${code}`, sha512: undefined });
    assert.ok(state?.is === "failed" && state.because.code === code, `${code}: ${JSON.stringify(state)}`);
    assert.match(state.because.message, text);
  }
});

test("a download that nobody wants any more ends at once and leaves its draft", async (context) => {
  const { web, downloads, blobs } = await start(context, { content: randomBytes(1000), hangAfter: 100 });
  const wish = { url: `${web.origin}/f`, sha512: undefined };
  downloads.start(wish);
  while (web.requests.length === 0) await setTimeout(5);
  await setTimeout(50);
  downloads.cancel(wish);
  await downloads.close();
  assert.deepEqual(downloads.wishes(), []);
  assert.equal((await blobs.drafts()).length, 1);
});

test("no more than four at a time", async (context) => {
  const { web, downloads } = await start(context, { content: randomBytes(1000), hangAfter: 100 });
  for (let i = 0; i < 10; i++) downloads.start({ url: `${web.origin}/${i}`, sha512: undefined });
  while (web.requests.length < 4) await setTimeout(5);
  await setTimeout(100);
  assert.equal(web.requests.length, 4);
  const states = downloads.wishes().map((wish) => downloads.stateOf(wish)?.is);
  assert.equal(states.filter((state) => state === "waiting").length, 6);
});

test(`whatever the server does, there is nothing or a whole file of its (${ROUNDS} rounds, SEED=${SEED})`, async (context) => {
  const random = new SeededEntropy(SEED);
  const versions = [randomBytes(70_000), randomBytes(70_000), randomBytes(90_001)];
  const { web, attempt, blobs } = await start(context, { content: versions[0]! });
  let [whole, refused] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const content = versions[random.below(3)]!;
    const expected = random.chance(0.6) ? sha512(content) : undefined;
    const wish = { url: `${web.origin}/${round}`, sha512: expected };
    let state: DownloadState | undefined;
    for (let tries = 0; tries < 6; tries++) {
      const now = random.chance(0.8) ? content : versions[random.below(3)]!;
      web.manners = manners(random, now, expected !== undefined);
      state = await attempt(wish);
      if (state === undefined) break;
      assert.equal(state.is, "failed");
      if (expected !== undefined)
        assert.equal(await blobs.find(expected).then((blob) => blob !== undefined && whole === 0), false);
    }
    for (const { sha512: found } of await blobs.list()) {
      assert.ok(
        versions.some((version) => sha512(version) === found),
        `round ${round}: a file that never was`,
      );
    }
    if (state !== undefined) {
      refused++;
      continue;
    }
    whole++;
    const digest = (await blobs.named(wish.url))!.sha512;
    if (expected !== undefined) assert.equal(digest, expected);
    const bytes = (await bytesOf(blobs, digest))!;
    assert.equal(sha512(bytes), digest);
    assert.ok(
      versions.some((version) => version.equals(bytes)),
      `round ${round}: a file that never was`,
    );
  }
  context.diagnostic(`${whole} whole, ${refused} refused`);
  assert.ok(whole > 0);
});

/** A few faults at random. Lies that nobody could tell (bytes changed under the same tag, a file cut short with a length that fits) only where a checksum is known. */
function manners(random: SeededEntropy, content: Buffer, isChecked: boolean): Manners {
  const some = <T extends object>(probability: number, fault: T): T | object => (random.chance(probability) ? fault : {});
  return {
    content,
    ...some(0.1, { status: [404, 500, 416, 206, 304][random.below(5)]! }),
    ...some(0.4, { cutAfter: random.below(content.length) }),
    ...some(0.1, { lengthOff: random.below(2000) - (isChecked ? 1000 : 0) }),
    ...some(0.15, { ignoresRanges: true }),
    ...some(0.15, { rangeOff: random.below(5) }),
    ...some(0.1, { chunked: true }),
    ...some(0.1, { etag: "" }),
    ...some(0.1, { encoding: "gzip" }),
    ...(isChecked ? some(0.2, { damageAt: random.below(content.length) }) : {}),
    ...(isChecked ? some(0.1, { ignoresIfRange: true, etag: '"same"' }) : {}),
    ...(isChecked ? some(0.1, { untilClose: true }) : {}),
  };
}

/** Bytes of the one draft there is. */
async function draftSize(directory: string): Promise<number> {
  const drafts = join(directory, "drafts");
  const part = (await readdir(drafts).catch(() => [])).find((name) => name.endsWith(".part"));
  return part === undefined
    ? 0
    : await stat(join(drafts, part)).then(
        ({ size }) => size,
        () => 0,
      );
}

/** Begins a download in a process of its own. */
function begin(directory: string, url: string, digest: string): ChildProcess {
  const script = new URL("./downloader.ts", import.meta.url).pathname;
  return spawn(process.execPath, [script, directory, url, digest], { stdio: ["ignore", "pipe", "inherit"] });
}

test("kill -9 at any moment: the next process goes on where the last one was, and the file is whole", async (context) => {
  const random = new SeededEntropy(SEED);
  const directory = await mkdtemp(join(tmpdir(), "sidero-environment-"));
  const content = randomBytes(40 * 1024 * 1024);
  const web = await startWeb({ content, pace: 256 * 1024 });
  context.after(async () => {
    await web.close();
    await rm(directory, { recursive: true });
  });
  const digest = sha512(content);
  let kills = 0;
  for (let code: number | null = null; code !== 0;) {
    const child = begin(directory, `${web.origin}/f`, digest);
    await once(child.stdout!, "data");
    const exited = once(child, "exit") as Promise<[number | null]>;
    const target = kills < 6 ? (await draftSize(directory)) + random.below(12 * 1024 * 1024) : Infinity;
    while (child.exitCode === null && (await draftSize(directory)) < target) await setTimeout(2);
    if (child.kill("SIGKILL")) kills++;
    [code] = await exited;
    assert.ok(code === 0 || code === null, `it ended with ${code}`);
  }
  const starts = web.requests.map((request) => Number(/bytes=(\d+)-/.exec(request)?.[1] ?? 0));
  context.diagnostic(
    `killed ${kills} times; asked from ${starts.map((from) => `${(from / 2 ** 20).toFixed(0)} MiB`).join(", ")}`,
  );
  assert.deepEqual(
    starts,
    starts.toSorted((a, b) => a - b),
    "never less than before",
  );
  assert.ok(starts.some((from) => from > 0));
  const path = join(directory, "sha512", digest);
  assert.equal((await promisify(execFile)("sha512sum", [path])).stdout.split(" ")[0], digest);
  assert.equal((await stat(path)).size, content.length);
  assert.deepEqual(await readdir(join(directory, "drafts")), []);
});
