/** Waiting for what a server or a controller does in its own time. */
import assert from "node:assert/strict";

export type Eventually = <R>(probe: () => Promise<R>, expected: R) => Promise<void>;

/** Until a probe gives what is expected, failures of the probe itself included; `wait` lets time pass. */
export function patience(wait: () => Promise<unknown>): Eventually {
  return async (probe, expected) => {
    let last: unknown;
    for (let i = 0; i < 300; i++) {
      last = await probe().catch((error: unknown) => error);
      try {
        return assert.deepEqual(last, expected);
      } catch {
        await wait();
      }
    }
    assert.deepEqual(last, expected);
  };
}

export const inRealTime: Eventually = patience(() => new Promise((resolve) => setTimeout(resolve, 50)));
