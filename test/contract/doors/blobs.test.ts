/** The contract of the blob store, for both twins; then what only a disk does. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { promisify } from "node:util";
import type { Blob, Blobs } from "#io/blobs.ts";
import { silent } from "#io/log.ts";
import { MemoryBlobs } from "#io/memory/blobs.ts";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { openBlobs } from "#io/node/blobs.ts";
import { Fault } from "#std/fault.ts";
import { fill, grow, smallDisk } from "../../crash/small-disk.ts";

const sha512 = (bytes: Uint8Array): string => hash("sha512", bytes, "hex");
const isCode = (code: string) => (error: unknown) => Fault.is(error, code);

interface Twin {
  readonly blobs: Blobs;
  /** Changes the stored bytes behind the store's back. */
  damage(digest: string): Promise<void>;
  /** Puts a local file somewhere and returns its path. */
  file(bytes: Uint8Array): Promise<string>;
}

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-blobs-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function onDisk(context: TestContext, directory: string, cache?: number): Promise<Blobs> {
  const blobs = await openBlobs({ directory: join(directory, "assets"), log: silent, ...(cache === undefined ? {} : { cache }) });
  context.after(() => blobs.close());
  return blobs;
}

const twins: Record<string, (context: TestContext) => Promise<Twin>> = {
  node: async (context) => {
    const directory = await temporary(context);
    const blobs = await onDisk(context, directory);
    return {
      blobs,
      async damage(digest) {
        const path = join(directory, "assets", "sha512", digest);
        await chmod(path, 0o644);
        await writeFile(path, "x", { flag: "r+" });
      },
      async file(bytes) {
        await writeFile(join(directory, "file"), bytes);
        return join(directory, "file");
      },
    };
  },
  memory: async () => {
    const disk = createMemoryDisk();
    const blobs = new MemoryBlobs({ sha512, disk });
    return {
      blobs,
      damage: async (digest) =>
        void blobs.contents.set(digest, Buffer.concat([Buffer.from("x"), blobs.contents.get(digest)!.subarray(1)])),
      async file(bytes) {
        await disk.writeAtomic("file", bytes, 0o600);
        return "file";
      },
    };
  },
};

async function put(blobs: Blobs, bytes: Uint8Array, key = "k"): Promise<Blob> {
  const draft = await blobs.draft(key);
  await draft.restart("");
  await draft.write(bytes);
  return await draft.commit();
}

async function bytesOf(blob: Blob, start = 0, end = blob.size): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of blob.read(start, end)) pieces.push(piece);
  return Buffer.concat(pieces);
}

for (const [name, make] of Object.entries(twins)) {
  describe(`blobs: ${name}`, () => {
    test("what is committed is found by its digest, and read from any byte to any other", async (context) => {
      const { blobs } = await make(context);
      const bytes = randomBytes(1_500_001);
      const draft = await blobs.draft("a");
      assert.deepEqual([draft.length, draft.note], [0, ""]);
      for (let at = 0; at < bytes.length; at += 100_000) await draft.write(bytes.subarray(at, at + 100_000));
      assert.equal(await blobs.find(sha512(bytes)), undefined, "not before it is whole");
      const blob = await draft.commit(sha512(bytes));
      assert.deepEqual([blob.sha512, blob.size], [sha512(bytes), bytes.length]);
      const found = (await blobs.find(sha512(bytes)))!;
      assert.ok(bytes.equals(await bytesOf(found)));
      for (const [start, end] of [
        [0, 0],
        [0, 1],
        [524_287, 524_289],
        [524_288, 1_048_576],
        [1_500_000, 1_500_001],
        [7, 1_500_000],
        [1_400_000, 9_000_000],
      ] as const) {
        assert.ok(bytes.subarray(start, end).equals(await bytesOf(found, start, end)), `${start}–${end}`);
      }
      assert.deepEqual(await blobs.list(), [{ sha512: sha512(bytes), size: bytes.length }]);
      assert.deepEqual(await blobs.drafts(), []);
    });

    test("a draft with another digest than expected is discarded, and says both", async (context) => {
      const { blobs } = await make(context);
      const draft = await blobs.draft("a");
      await draft.write(Buffer.from("hello"));
      const [expected, actual] = [sha512(Buffer.from("Hello")), sha512(Buffer.from("hello"))];
      await assert.rejects(draft.commit(expected), (error) => {
        assert.ok(Fault.is(error, "io.checksum"));
        assert.deepEqual([error.facts["expected"], error.facts["actual"]], [expected, actual]);
        return error.message.includes(expected) && error.message.includes(actual);
      });
      assert.deepEqual(await blobs.list(), []);
      const again = await blobs.draft("a");
      assert.equal(again.length, 0);
      await again.close();
    });

    test("a draft that was closed goes on where it was, with its note", async (context) => {
      const { blobs } = await make(context);
      const first = await blobs.draft("http://a/b");
      await first.restart("etag 1");
      await first.write(Buffer.from("hel"));
      await first.close();
      await first.close();
      assert.deepEqual(await blobs.drafts(), ["http://a/b"]);
      const second = await blobs.draft("http://a/b");
      assert.deepEqual([second.length, second.note], [3, "etag 1"]);
      await second.write(Buffer.from("lo"));
      assert.equal((await second.commit()).sha512, sha512(Buffer.from("hello")));
    });

    test("a draft that is begun anew forgets its bytes", async (context) => {
      const { blobs } = await make(context);
      const draft = await blobs.draft("a");
      await draft.write(Buffer.from("a longer text"));
      await draft.restart("etag 2");
      assert.deepEqual([draft.length, draft.note], [0, "etag 2"]);
      await draft.write(Buffer.from("short"));
      assert.equal((await draft.commit()).sha512, sha512(Buffer.from("short")));
    });

    test("one draft for each key at a time", async (context) => {
      const { blobs } = await make(context);
      const draft = await blobs.draft("a");
      await assert.rejects(blobs.draft("a"), isCode("io.busy"));
      await assert.rejects(blobs.discard("a"), isCode("io.busy"));
      const other = await blobs.draft("b");
      await other.close();
      await draft.close();
      await blobs.discard("a");
      assert.deepEqual(await blobs.drafts(), ["b"]);
    });

    test("a local file is taken in, once", async (context) => {
      const { blobs, file } = await make(context);
      const bytes = randomBytes(3_000_000);
      const path = await file(bytes);
      assert.equal((await blobs.adopt(path)).sha512, sha512(bytes));
      assert.equal((await blobs.adopt(path)).sha512, sha512(bytes));
      assert.ok(bytes.equals(await bytesOf((await blobs.find(sha512(bytes)))!)));
      assert.deepEqual(await blobs.drafts(), []);
      await assert.rejects(blobs.adopt("/no/such/file"), isCode("io.failed"));
    });

    test("names come, change and go, and say so", async (context) => {
      const { blobs } = await make(context);
      let changes = 0;
      blobs.onChange(() => changes++);
      const url = "https://a/b?c=d/../é";
      assert.equal(await blobs.named(url), undefined);
      const entry = { name: url, sha512: sha512(Buffer.from("1")), keep: false };
      await blobs.name(entry);
      assert.deepEqual(await blobs.named(url), entry);
      const newer = { name: url, sha512: sha512(Buffer.from("2")), keep: true };
      await blobs.name(newer);
      assert.deepEqual(await blobs.names(), [newer]);
      await blobs.forget(url);
      await blobs.forget(url);
      assert.deepEqual(await blobs.names(), []);
      while (changes < 3) await new Promise(setImmediate);
    });

    test("a blob that is removed is gone; removing what is not there is fine", async (context) => {
      const { blobs } = await make(context);
      const { sha512: digest } = await put(blobs, Buffer.from("hello"));
      await blobs.remove(digest);
      await blobs.remove(digest);
      assert.equal(await blobs.find(digest), undefined);
      assert.deepEqual(await blobs.list(), []);
    });

    test("nothing damaged is ever given out", async (context) => {
      const { blobs, damage } = await make(context);
      const bytes = randomBytes(2_000_000);
      const blob = await put(blobs, bytes);
      const other = await put(blobs, Buffer.from("fine"));
      await damage(blob.sha512);
      // Neither by whoever holds it already …
      await assert.rejects(bytesOf(blob), isCode("io.corrupt"));
      // … nor by whoever comes later; it is out of the way.
      assert.equal(await blobs.find(blob.sha512), undefined);
      assert.deepEqual(await blobs.list(), [{ sha512: other.sha512, size: 4 }]);
      const again = await put(blobs, bytes);
      await damage(again.sha512);
      assert.deepEqual(await blobs.verify(), [again.sha512]);
      assert.deepEqual(await blobs.list(), [{ sha512: other.sha512, size: 4 }]);
    });

    test("what is no digest is not found", async (context) => {
      const { blobs } = await make(context);
      for (const text of ["", "../names", "a".repeat(128), "A".repeat(128), `${"a".repeat(128)}\n`]) {
        assert.equal(await blobs.find(text), undefined);
      }
    });
  });
}

describe("blobs on a disk", () => {
  test("sha512sum and openssl agree", async (context) => {
    const directory = await temporary(context);
    const blobs = await onDisk(context, directory);
    const { sha512: digest } = await put(blobs, randomBytes(1_234_567));
    const path = join(directory, "assets", "sha512", digest);
    const run = promisify(execFile);
    assert.equal((await run("sha512sum", [path])).stdout.split(" ")[0], digest);
    assert.match((await run("openssl", ["dgst", "-sha512", path])).stdout, new RegExp(digest));
    assert.equal((await stat(path)).mode & 0o777, 0o444);
  });

  test("a new process finds blobs, names and drafts, and trusts no blob it has not read", async (context) => {
    const directory = await temporary(context);
    const first = await onDisk(context, directory);
    const bytes = randomBytes(900_000);
    const { sha512: whole } = await put(first, bytes);
    const { sha512: damaged } = await put(first, randomBytes(100));
    await first.name({ name: "u", sha512: whole, keep: false });
    const draft = await first.draft("d");
    await draft.restart("note");
    await draft.write(bytes);
    await draft.close();
    await first.close();
    const path = join(directory, "assets", "sha512", damaged);
    await chmod(path, 0o644);
    await writeFile(path, "x");

    const second = await onDisk(context, directory);
    assert.equal(await second.find(damaged), undefined);
    assert.ok(bytes.equals(await bytesOf((await second.find(whole))!)));
    assert.equal((await second.named("u"))?.sha512, whole);
    const resumed = await second.draft("d");
    assert.deepEqual([resumed.length, resumed.note], [900_000, "note"]);
    assert.equal((await resumed.commit()).sha512, whole);
  });

  test("bytes of a draft that were not durable are not counted on", async (context) => {
    const directory = await temporary(context);
    const first = await onDisk(context, directory);
    const draft = await first.draft("d");
    await draft.restart("note");
    await draft.write(randomBytes(1000));
    await draft.close();
    await first.close();
    const drafts = join(directory, "assets", "drafts");
    const part = (await readdir(drafts)).find((name) => name.endsWith(".part"))!;
    // As file systems leave it when the power goes: longer than was made durable, with anything in it …
    await writeFile(join(drafts, part), Buffer.alloc(5000), { flag: "a" });
    const second = await onDisk(context, directory);
    const longer = await second.draft("d");
    assert.equal(longer.length, 1000);
    await longer.close();
    // … or cut off, or without the record.
    await writeFile(join(drafts, part), "");
    const shorter = await second.draft("d");
    assert.equal(shorter.length, 0);
    await shorter.write(randomBytes(10));
    await shorter.close();
    await writeFile(join(drafts, part.replace(".part", ".json")), "");
    assert.deepEqual(await second.drafts(), []);
    const unknown = await second.draft("d");
    assert.deepEqual([unknown.length, unknown.note], [0, ""]);
    await unknown.close();
  });

  test("a disk that is full is said to be, and what was whole before goes on when there is space again", async (context) => {
    let close = async (): Promise<void> => {};
    const directory = await smallDisk(context, () => close());
    const blobs = await openBlobs({ directory, log: silent });
    close = () => blobs.close();
    const bytes = randomBytes(3_000_000);
    const draft = await blobs.draft("d");
    await draft.restart("note");
    await draft.write(bytes.subarray(0, 1_000_000));
    await fill(directory, 1_000_000);
    const filling = async (): Promise<void> => {
      for (let at = 1_000_000; at < bytes.length; at += 100_000) await draft.write(bytes.subarray(at, at + 100_000));
      await draft.commit();
    };
    await assert.rejects(filling(), isCode("io.no-space"));
    await grow(directory);
    await draft.close();
    const again = await blobs.draft("d");
    assert.ok(again.length >= 1_000_000 && again.length < bytes.length, String(again.length));
    await again.write(bytes.subarray(again.length));
    assert.equal((await again.commit()).sha512, sha512(bytes));
  });

  test("blobs that another process puts in, replaces or takes away are noticed", async (context) => {
    const directory = await temporary(context);
    const [one, other] = [await onDisk(context, directory), await onDisk(context, directory)];
    const heard = Promise.withResolvers<void>();
    one.onChange(() => heard.resolve());
    const bytes = randomBytes(10);
    const { sha512: digest } = await put(other, bytes);
    await heard.promise;
    assert.ok(bytes.equals(await bytesOf((await one.find(digest))!)));
    const gone = Promise.withResolvers<void>();
    one.onChange(() => gone.resolve());
    const path = join(directory, "assets", "sha512", digest);
    await writeFile(`${directory}/new`, randomBytes(10));
    await rename(`${directory}/new`, path);
    await gone.promise;
    assert.equal(await one.find(digest), undefined);
  });

  test("128 readers of one blob read the disk once, and memory stays bounded when it is larger than the cache", async (context) => {
    const directory = await temporary(context);
    const blobs = await onDisk(context, directory, 4 * 1024 * 1024);
    const bytes = randomBytes(16 * 1024 * 1024);
    const blob = await put(blobs, bytes);
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const readers = Array.from({ length: 128 }, async () => {
      let at = 0;
      for await (const piece of blob.read(0, blob.size)) {
        assert.ok(bytes.subarray(at, at + 64).equals(piece.subarray(0, 64)));
        at += piece.length;
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        await new Promise(setImmediate);
      }
      assert.equal(at, bytes.length);
    });
    await Promise.all(readers);
    assert.ok(peak < 64 * 1024 * 1024, `${peak} bytes at the most`);
  });
});
