/** Keys worked on one after the other, again after a fault; the loop of every part that runs beside the request handlers. */
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { Queue } from "#kube/queue.ts";
import { Fault } from "#std/fault.ts";

export interface WorkerOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Keys worked on at a time: enough to share a commit of the store's journal. */
  readonly concurrency: number;
  /** A fault sends the key back into the queue, later each time. */
  readonly work: (key: string) => Promise<void>;
  readonly report: (key: string, fault: Fault) => void;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #queue: Queue;
  #scheduled = false;
  #isClosed = false;
  /** Pending from the moment a key is ready until none is and none is worked on. */
  #busy: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { clock, entropy } = options;
    this.#queue = new Queue({ clock, entropy, onReady: () => this.#schedule(), backoff: { base: 20, most: 30_000 } });
  }

  /** `after` in milliseconds. */
  add(key: string, after = 0): void {
    this.#queue.add(key, { after });
  }

  /** Resolves when nothing is being worked on and nothing is ready; keys that wait for their time are not waited for. */
  async idle(): Promise<void> {
    await this.#busy?.promise;
  }

  /** Takes nothing more; resolves when the work under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.close();
    await this.idle();
  }

  /** Not at once: keys are added in the middle of the store's notifications, which should reach everybody first. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#busy ??= Promise.withResolvers<void>();
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#isClosed && this.#queue.active < this.#options.concurrency) {
      const key = this.#queue.take();
      if (key === undefined) break;
      void this.#run(key);
    }
    if (this.#queue.active > 0) return;
    this.#busy?.resolve();
    this.#busy = undefined;
  }

  async #run(key: string): Promise<void> {
    try {
      await this.#options.work(key);
      this.#queue.forget(key);
    } catch (error) {
      // What fails because the server is going down is no news.
      if (!this.#isClosed) this.#options.report(key, Fault.from(error));
      this.#queue.retry(key);
    }
    this.#queue.done(key);
    this.#pump();
  }
}
