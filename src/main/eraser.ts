/** Erases disks in threads of their own, so that the agent goes on talking to its server meanwhile. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { EraseDisk, EraseJob, EraseProgress, Erased } from "#agent/steps/wipe/job.ts";
import { Fault } from "#std/fault.ts";

/** What a thread is started with; `stop` is one integer: not 0 when it is to come to an end. */
export interface EraseTask {
  readonly job: EraseJob;
  readonly stop: SharedArrayBuffer;
}

export type EraseMessage =
  | { readonly progress: EraseProgress }
  | { readonly erased: Erased }
  | { readonly failed: Pick<Fault, "code" | "message" | "retry"> };

/** MiB: a machine with little memory may have many disks. */
const MEMORY = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 } as const;

export const eraseDisk: EraseDisk = (job, tell, signal) =>
  new Promise((resolve, reject) => {
    const stop = new SharedArrayBuffer(4);
    const task: EraseTask = { job, stop };
    const worker = new Worker(threadFile(), { workerData: task, resourceLimits: MEMORY });
    const halt = (): void => {
      Atomics.store(new Int32Array(stop), 0, 1);
      Atomics.notify(new Int32Array(stop), 0);
    };
    if (signal.aborted) halt();
    signal.addEventListener("abort", halt);
    let outcome: () => void = () =>
      reject(
        new Fault("agent.not-erased", `the thread that erased ${job.path} ended without a word`, {
          fault: "ours",
          retry: "later",
        }),
      );
    worker.on("message", (message: EraseMessage) => {
      if ("progress" in message) tell(message.progress);
      else if ("erased" in message) outcome = () => resolve(message.erased);
      else {
        const { code, message: text, retry } = message.failed;
        outcome = () => reject(new Fault(code, text, { fault: "world", retry }));
      }
    });
    worker.on("error", (error) => void (outcome = () => reject(Fault.from(error))));
    // Not before the disk is closed again.
    worker.on("exit", () => {
      signal.removeEventListener("abort", halt);
      outcome();
    });
  });

/** In the agent's image both are scripts in one directory; else it is what lies here. */
function threadFile(): string | URL {
  const beside = join(dirname(process.argv[1] ?? ""), "erase-thread.cjs");
  return existsSync(beside) ? beside : new URL("./erase-thread.ts", import.meta.url);
}
