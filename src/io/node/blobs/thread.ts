/** The event loop's end of the blob store's thread. */
import { Worker } from "node:worker_threads";
import { Fault } from "#std/fault.ts";
import { faultFrom } from "../journal-message.ts";
import type { Answer, Answers, Request } from "./message.ts";

export class Thread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, PromiseWithResolvers<never>>();
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #end: Fault | undefined;

  constructor() {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { name: "blobs" });
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (cause) =>
      this.#die(new Fault("io.failed", "the blob store's thread has died", { ...OURS, cause })),
    );
    this.#worker.on("exit", () => this.#die(new Fault("io.closed", "the blob store is closed", OURS)));
    this.#worker.unref();
  }

  /** Rejects with the Faults of the thread, or `io.closed` once it has ended. */
  call<R extends Request>(request: R): Promise<Answers[R["do"]]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call = Promise.withResolvers<never>();
    const id = ++this.#lastId;
    this.#calls.set(id, call);
    // Only what is under way keeps the process alive.
    this.#worker.ref();
    this.#worker.postMessage({ id, request });
    return call.promise;
  }

  async end(): Promise<void> {
    // Or else the process may end while this waits.
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #settle(answer: Answer): void {
    const call = this.#calls.get(answer.id)!;
    this.#calls.delete(answer.id);
    if (this.#calls.size === 0) this.#worker.unref();
    if ("fault" in answer) call.reject(faultFrom(answer.fault));
    else call.resolve(answer.value as never);
  }

  #die(fault: Fault): void {
    this.#end ??= fault;
    for (const call of this.#calls.values()) call.reject(this.#end);
    this.#calls.clear();
  }
}

const OURS = { fault: "ours", retry: "later" } as const;
