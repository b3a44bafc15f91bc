import assert from "node:assert/strict";
import { test } from "node:test";
import { silent, type Log } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryLogFiles } from "#io/memory/log-files.ts";
import { MachineLogs } from "./machine-logs.ts";

const KIB = 1024;
const budget = { file: 64 * KIB, machine: 256 * KIB, total: 1024 * KIB };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (pieces: readonly Uint8Array[]): string => pieces.map((piece) => new TextDecoder().decode(piece)).join("");

async function start(files = new MemoryLogFiles(), log: Log = silent) {
  const clock = new VirtualClock();
  const logs = await MachineLogs.open({ files, clock, log, budget });
  const written = async (): Promise<void> => {
    const flushed = logs.flush();
    await clock.advance(1000);
    await flushed;
  };
  const read = async (machine: string, lines?: number): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of logs.read(machine, lines)) pieces.push(piece);
    return decode(pieces);
  };
  return { files, clock, logs, written, read };
}

test("lines are kept by machine, in order, and the last ones are found across files and pieces", async () => {
  const { logs, written, read, files } = await start();
  const lines: string[] = [];
  for (let i = 0; i < 40; i++) {
    const line = `${i} ${"x".repeat(i * 211)}`;
    lines.push(line);
    assert.ok(logs.append("a", encode(line)));
    if (i % 4 === 0) assert.ok(logs.append("b", encode(`b${i}`)));
    if (i % 7 === 0) await written();
  }
  await written();
  assert.ok(files.files.size > 3, "it went on in new files");
  const all = `${lines.join("\n")}\n`;
  assert.equal(await read("a"), all);
  for (const count of [0, 1, 2, 9, 39, 40, 41]) {
    assert.equal(await read("a", count), count === 0 ? "" : `${lines.slice(-count).join("\n")}\n`, String(count));
  }
  assert.match(await read("b"), /^b0\nb4\n/);
  assert.equal(await read("nobody"), "");
});

test("whoever follows from where the read began misses nothing and gets nothing twice", async () => {
  const { logs, written, clock } = await start();
  const told: Uint8Array[] = [];
  let unfollow: (() => void) | undefined;
  let before = "";
  for (let i = 0; i < 50; i++) {
    logs.append("a", encode(String(i)));
    if (i % 3 === 0) await clock.advance(150);
    if (i === 25) {
      const pieces = logs.read("a");
      unfollow = logs.follow("a", (bytes) => told.push(bytes));
      for await (const piece of pieces) before += decode([piece]);
    }
  }
  await written();
  assert.deepEqual(
    (before + decode(told)).trim().split("\n"),
    Array.from({ length: 50 }, (_, i) => String(i)),
  );
  unfollow!();
  const count = told.length;
  logs.append("a", encode("more"));
  await written();
  assert.equal(told.length, count);
});

test("a flood has bounds in memory and on disk, and takes no other machine's log away", async () => {
  const { logs, written, files, read } = await start();
  logs.append("quiet", encode("I was here"));
  const line = encode("f".repeat(8 * KIB));
  let [taken, refused] = [0, 0];
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 100; i++) {
      if (logs.append("flood", line)) taken++;
      else refused++;
    }
    await written();
  }
  assert.ok(refused > 60 * 60 && taken <= 60 * 32, "what waits is at most 256 KiB of a machine");
  const size = (machine: string): number =>
    [...files.files].filter(([path]) => path.startsWith(`${machine}/`)).reduce((sum, [, { length }]) => sum + length, 0);
  assert.ok(size("flood") <= budget.machine, String(size("flood")));
  assert.equal(await read("quiet"), "I was here\n");
});

test("what was there before is gone on with; a line that a crash cut stays one line", async () => {
  const files = new MemoryLogFiles();
  files.files.set("a/3", encode('{"msg":"old"}\n{"ms'));
  files.files.set("b/9", encode("whole\n"));
  const { logs, written, read } = await start(files);
  for (const machine of ["a", "a", "b"]) logs.append(machine, encode("new"));
  await written();
  assert.equal(await read("a"), '{"msg":"old"}\n{"ms\nnew\nnew\n');
  assert.equal(await read("b"), "whole\nnew\n");
  assert.deepEqual([...files.files.keys()].toSorted(), ["a/3", "b/9"]);
});

test("a full disk costs lines, says so once, and is over when it is over", async () => {
  const files = new MemoryLogFiles();
  const said: string[] = [];
  const { logs, written, read } = await start(files, { ...silent, error: (message) => void said.push(message) });
  logs.append("a", encode("one"));
  await written();
  files.problem = "no space left";
  for (let i = 0; i < 3; i++) {
    logs.append("a", encode("lost"));
    await written();
  }
  assert.deepEqual([said.length, logs.lost], [1, 3]);
  files.problem = undefined;
  logs.append("a", encode("two"));
  await written();
  assert.equal(await read("a"), "one\ntwo\n");
});

test("there is room again when what waited is written", async () => {
  const { logs, clock } = await start();
  while (logs.append("a", encode("x".repeat(1000))));
  let isRoom = false;
  const waiting = logs.room().then(() => (isRoom = true));
  await clock.advance(100);
  assert.equal(isRoom, false);
  await clock.advance(200);
  await waiting;
  assert.ok(logs.append("a", encode("y")));
});
