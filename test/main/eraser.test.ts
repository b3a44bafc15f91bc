/** Disks are erased in threads, on loop devices: this process goes on meanwhile, and can stop them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { eraseDisk } from "#main/eraser.ts";
import { openBlock } from "#io/node/block.ts";
import { Fault } from "#std/fault.ts";

const MIB = 1024 * 1024;
let directory = "";
const devices: string[] = [];

before(() => {
  directory = mkdtempSync(`${tmpdir()}/sidero-eraser-`);
});
after(() => {
  for (const device of devices) execFileSync("losetup", ["--detach", device]);
  rmSync(directory, { recursive: true });
});

/** Undefined: there are no loop devices here. */
function disk(name: string, mebibytes: number): { readonly file: string; readonly path: string } | undefined {
  const file = `${directory}/${name}`;
  writeFileSync(file, Buffer.alloc(mebibytes * MIB, "OLD DATA "));
  try {
    const path = execFileSync("losetup", ["--find", "--show", file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    devices.push(path);
    return { file, path };
  } catch {
    return undefined;
  }
}

const job = (path: string, mode: "fast" | "full", bytes = 64 * MIB) =>
  ({ path, disk: { serial: "", wwid: "", bytes }, mode, rotational: true, partitions: [], alone: true, seed: "s" }) as const;
const never = new AbortController().signal;

test("two at once, fast and full; what was there is gone from the files behind them", async (context) => {
  const [one, two] = [disk("one", 64), disk("two", 64)];
  if (one === undefined || two === undefined) return context.skip("no loop devices here");
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const told: string[] = [];
  const results = await Promise.all([
    eraseDisk(job(one.path, "fast"), ({ state }) => void told.push(`one ${state}`), never),
    eraseDisk(job(two.path, "full"), ({ state }) => void told.push(`two ${state}`), never),
  ]);
  clearInterval(ticking);
  assert.deepEqual(
    results.map(({ method, verified }) => [method, verified]),
    [
      ["discard", true],
      ["zero-out", true],
    ],
  );
  assert.ok(turns > 5, "nothing here has waited");
  for (const step of ["one wiping", "one verifying", "two wiping", "two verifying"]) assert.ok(told.includes(step), step);
  for (const { file } of [one, two]) assert.ok(!readFileSync(file).includes("OLD DATA"), file);
});

test("a disk that is held is left, and its fault comes out of the thread as it is", async (context) => {
  const held = disk("held", 1);
  if (held === undefined) return context.skip("no loop devices here");
  const holder = openBlock(held.path);
  try {
    await assert.rejects(
      eraseDisk(job(held.path, "full"), () => {}, never),
      (error) => Fault.is(error, "io.busy"),
    );
  } finally {
    holder.close();
  }
  assert.ok(readFileSync(held.file).includes("OLD DATA"));
  await assert.rejects(
    eraseDisk(job("/dev/there-is-none", "fast"), () => {}, never),
    (error) => Fault.is(error, "io.failed"),
  );
});

test("a disk that has got the name of the one that was chosen is left as it is", async (context) => {
  const other = disk("other", 2);
  if (other === undefined) return context.skip("no loop devices here");
  for (const mode of ["fast", "full"] as const) {
    await assert.rejects(
      eraseDisk(job(other.path, mode, MIB), () => {}, never),
      (error) =>
        Fault.is(error, "agent.not-erased") &&
        /is another disk now: .*2097152 bytes instead of .*1048576 bytes/.test(error.message),
    );
  }
  assert.ok(readFileSync(other.file).equals(Buffer.alloc(2 * MIB, "OLD DATA ")));
});

test("the signal stops a thread, and the disk is free again", async (context) => {
  const stopped = disk("stopped", 64);
  if (stopped === undefined) return context.skip("no loop devices here");
  await assert.rejects(
    eraseDisk(job(stopped.path, "full"), () => {}, AbortSignal.abort()),
    (error) => Fault.is(error, "agent.stopped"),
  );
  openBlock(stopped.path).close();
  assert.ok(readFileSync(stopped.file).includes("OLD DATA"));
});
