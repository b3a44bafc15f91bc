/** Much of the same kind of work without holding up everybody else: some of it in each turn of the event loop. */
export class Turns {
  readonly #most: number;
  #waiting: (() => void)[] = [];

  /** `most`: pieces of work in one turn. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does the work in one of the next turns, in the order in which it came. It must not throw. */
  add(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) setImmediate(() => this.#run());
  }

  #run(): void {
    const now = this.#waiting.slice(0, this.#most);
    for (const work of now) work();
    // What was added meanwhile is behind them.
    this.#waiting = this.#waiting.slice(now.length);
    if (this.#waiting.length > 0) setImmediate(() => this.#run());
  }
}
