/** Group commit: what arrives while one commit is under way goes together in the next, in the order it came. */
interface Call<T> {
  readonly items: readonly T[];
  readonly done: PromiseWithResolvers<void>;
}

export class GroupCommit<T> {
  readonly #commit: (items: T[]) => Promise<void>;
  #waiting: Call<T>[] = [];
  #last: Promise<void> | undefined;
  #running = false;

  /** `commit` makes all items durable or none; its rejection becomes that of every call in the group. */
  constructor(commit: (items: T[]) => Promise<void>) {
    this.#commit = commit;
  }

  append(items: readonly T[]): Promise<void> {
    const call: Call<T> = { items, done: Promise.withResolvers() };
    this.#waiting.push(call);
    this.#last = call.done.promise;
    if (!this.#running) void this.#run();
    return call.done.promise;
  }

  /** Resolves when every call so far has ended, well or badly. */
  async idle(): Promise<void> {
    await this.#last?.catch(() => {});
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#commit(group.flatMap((call) => call.items));
        for (const call of group) call.done.resolve();
      } catch (error) {
        for (const call of group) call.done.reject(error);
      }
    }
    this.#running = false;
  }
}
