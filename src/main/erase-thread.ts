/** A thread that erases one disk: everything it does blocks, and nothing else waits for it. */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { diskIdentity } from "#agent/steps/hardware/disks.ts";
import { erase } from "#agent/steps/wipe/erase.ts";
import type { EraseJob } from "#agent/steps/wipe/job.ts";
import { openBlock } from "#io/node/block.ts";
import { Fault } from "#std/fault.ts";
import type { EraseMessage, EraseTask } from "./eraser.ts";

/** Of the kernel: where a name in /dev has a slash, /sys has another character. */
function nameOf(path: string): string {
  return path.slice("/dev/".length).replaceAll("/", "!");
}

function readOrNothing(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

const { job, stop } = workerData as EraseTask;
const flag = new Int32Array(stop);
const send = (message: EraseMessage): void => parentPort!.postMessage(message);

function run(task: EraseJob): EraseMessage {
  try {
    const block = openBlock(task.path);
    try {
      const erased = erase(task, {
        block,
        disk: () => diskIdentity(nameOf(task.path), readOrNothing),
        tell: (progress) => send({ progress }),
        pause: (milliseconds) => void Atomics.wait(flag, 0, 0, milliseconds),
        isStopped: () => Atomics.load(flag, 0) !== 0,
      });
      return { erased };
    } finally {
      block.close();
    }
  } catch (error) {
    const { code, message, retry } = Fault.from(error);
    return { failed: { code, message, retry } };
  }
}

send(run(job));
