/** Which numbers have come, so that nothing counts twice (IPMI 2.0 §6.12.13, §6.12.14). */

/** Numbers so far ahead and so far behind of the highest one are taken. */
const AHEAD = 16;
const BEHIND = 16;

/** Of 32 bits, going round; 0 is left out. */
export class Window {
  #highest: number;
  /** Bit n: the highest number minus n has come. */
  #seen: number;

  /** `highest`: the last one before the first that is expected. */
  constructor(highest: number) {
    this.#highest = highest >>> 0;
    this.#seen = 0;
  }

  /** Whether it is new; says so once only. */
  accept(number: number): boolean {
    if (number === 0) return false;
    const ahead = (number - this.#highest) | 0;
    if (ahead > AHEAD || ahead <= -BEHIND) return false;
    if (ahead > 0) {
      this.#highest = number >>> 0;
      this.#seen = (this.#seen << ahead) | 1;
      return true;
    }
    const bit = 1 << -ahead;
    if ((this.#seen & bit) !== 0) return false;
    this.#seen |= bit;
    return true;
  }
}

/** The number after it. */
export function after(number: number): number {
  return number === 0xffffffff ? 1 : number + 1;
}
