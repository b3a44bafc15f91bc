/** Answers under way: bounded, because anyone can ask, and waited for at the end. */
export class Backlog {
  readonly #limit: number;
  readonly #failed: (error: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  /** `failed` is told of work that rejects, and must not throw. */
  constructor(limit: number, failed: (error: unknown) => void) {
    this.#limit = limit;
    this.#failed = failed;
  }

  /** Starts the work. When there is too much already it is dropped: who asked asks again. */
  take(work: () => Promise<void>): void {
    if (this.#isClosed || this.#running.size >= this.#limit) return;
    const running = work()
      .catch(this.#failed)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Takes no more; resolves when what was taken is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#running);
  }
}
