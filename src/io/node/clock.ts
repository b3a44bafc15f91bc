import type { Clock, Timer } from "#io/clock.ts";

/** node holds timers in 32 bits and fires longer ones at once; longer waits are cut into steps. */
const LONGEST_STEP = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay, fire): Timer {
    let timeout: NodeJS.Timeout;
    const wait = (remaining: number): void => {
      const step = Math.min(Math.max(0, remaining), LONGEST_STEP);
      timeout = setTimeout(() => (remaining > step ? wait(remaining - step) : fire()), step);
      timeout.unref();
    };
    wait(delay);
    return { cancel: () => clearTimeout(timeout) };
  },
};
