import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import type { Sink } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import { Admission } from "./admission.ts";
import { answerWith, type Download, type File } from "./download.ts";

const KIB = 1024;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A socket that sends when the test says so. */
class SlowSink implements Sink {
  bytes = 0;
  sent = 0;
  ended = false;
  #resume: (() => void) | undefined;

  write(piece: Buffer): void {
    this.bytes += piece.length;
  }
  get full(): boolean {
    return this.bytes > 0;
  }
  onDrain(resume: () => void, most = 0): void {
    assert.equal(most, 0);
    if (this.bytes === 0) queueMicrotask(resume);
    else this.#resume = resume;
  }
  end(): void {
    this.ended = true;
  }
  drain(): void {
    this.sent += this.bytes;
    this.bytes = 0;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

function fileOf(size: number, read?: File["read"]): File {
  const bytes = Buffer.alloc(size, "x");
  return {
    size,
    etag: '"e"',
    modified: 0,
    type: "application/octet-stream",
    read: read ?? ((start, end) => [bytes.subarray(start, end)]),
  };
}

function begin(file: File, admission: Admission, headers = {}) {
  const abort = new AbortController();
  const sink = new SlowSink();
  const downloads: Download[] = [];
  const request = { method: "GET", headers, signal: abort.signal, peer: { address: "192.0.2.1" } } as const;
  const answer = answerWith(file, request, admission, (download) => downloads.push(download));
  assert.ok("open" in answer.body);
  answer.body.open(sink);
  return { abort, sink, answer, downloads };
}

test("two hundred downloads never have more on their way than the limit, and all go on evenly", async () => {
  const limit = 2048 * KIB;
  const admission = new Admission({ limit, patience: 5_000, clock: new VirtualClock() });
  const file = fileOf(1024 * KIB);
  const all = Array.from({ length: 200 }, () => begin(file, admission));
  let rounds = 0;
  while (!all.every(({ sink }) => sink.ended)) {
    await soon();
    const buffered = all.reduce((sum, { sink }) => sum + sink.bytes, 0);
    assert.ok(buffered <= limit, `${buffered} bytes`);
    const sent = all.map(({ sink }) => sink.sent);
    assert.ok(Math.max(...sent) - Math.min(...sent) <= 512 * KIB, "nobody is far ahead");
    for (const { sink } of all) sink.drain();
    assert.ok(++rounds < 1000);
  }
  assert.ok(all.every(({ sink }) => sink.sent === file.size));
  assert.equal(admission.inFlight, 0);
  assert.equal(admission.peak, limit);
});

test("a client that goes away gives back what it held, and is reported with how far it got", async () => {
  const admission = new Admission({ limit: 256 * KIB, patience: 5_000, clock: new VirtualClock() });
  const first = begin(fileOf(1024 * KIB), admission);
  const second = begin(fileOf(1024 * KIB), admission);
  await soon();
  first.sink.drain();
  await soon();
  assert.deepEqual([first.sink.bytes, second.sink.bytes], [0, 256 * KIB], "now it is the other's turn");
  second.abort.abort(new Error("gone"));
  await soon();
  second.answer.settled!(false);
  assert.deepEqual(second.downloads, [{ start: 0, end: 1024 * KIB, size: 1024 * KIB, sent: 0, complete: false }]);
  assert.equal(first.sink.bytes, 256 * KIB);
  first.abort.abort(new Error("gone"));
  await soon();
  first.answer.settled!(false);
  assert.equal(first.downloads[0]!.sent, 256 * KIB);
  assert.equal(admission.inFlight, 0);
});

test("a file that cannot be read to its end ends the answer early, and says why", async () => {
  const admission = new Admission({ limit: 1024 * KIB, patience: 5_000, clock: new VirtualClock() });
  const fault = new Fault("io.corrupt", "the file is damaged", { fault: "world", retry: "never" });
  const damaged = fileOf(512 * KIB, async function* (start, end) {
    yield Buffer.alloc(1000);
    if (start > 0) throw fault;
    yield Buffer.alloc(end - start - 1000);
  });
  const { sink, answer, downloads } = begin(damaged, admission);
  await soon();
  sink.drain();
  await soon();
  await soon();
  assert.ok(sink.ended);
  answer.settled!(false);
  assert.deepEqual(downloads, [{ start: 0, end: 512 * KIB, size: 512 * KIB, sent: 256 * KIB, complete: false, fault }]);
  assert.equal(admission.inFlight, 0);
});

test("a part of a file is read, not the whole", async () => {
  const admission = new Admission({ limit: 1024 * KIB, patience: 5_000, clock: new VirtualClock() });
  const asked: string[] = [];
  const file = fileOf(1024 * KIB, (start, end) => {
    asked.push(`${start}-${end}`);
    return [Buffer.alloc(end - start)];
  });
  const { sink, answer } = begin(file, admission, { range: "bytes=100-199" });
  await soon();
  assert.deepEqual([answer.status, answer.headers["content-range"]], [206, `bytes 100-199/${1024 * KIB}`]);
  assert.equal(sink.bytes, 100);
  assert.deepEqual(asked, ["100-200"]);
});
