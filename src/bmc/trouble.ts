/** Says when BMCs are in trouble as a whole: once when it begins, once when it has become much worse, once when it is over. Who it is, their Servers say. */
import type { Log } from "#io/log.ts";
import type { MachineState } from "./metrics.ts";

export interface Trouble {
  readonly counts: Readonly<Record<MachineState, number>>;
  /** Of some that are left alone or unusable: `ipmi://192.0.2.1: no answer`. */
  readonly examples: readonly string[];
}

/** One in so many, and this many at least, is no longer one machine's own trouble. */
const SHARE = 0.05;
const LEAST = 3;
/** It is said again when there are so many times as many. */
const WORSE = 2;

export class TroubleLog {
  readonly #log: Log;
  #said = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  note({ counts, examples }: Trouble): void {
    const { answers, fails, unusable } = counts;
    const bad = counts["left-alone"] + unusable;
    const total = answers + fails + bad;
    const isTrouble = bad >= Math.max(LEAST, total * SHARE);
    if (isTrouble && bad >= this.#said * WORSE) {
      this.#said = bad;
      this.#log.warn("many BMCs cannot be used; sidero why SERVER and kubectl describe server say more of each", {
        bad,
        of: total,
        examples,
      });
    } else if (this.#said > 0 && bad * WORSE <= this.#said && bad < Math.max(LEAST, total * SHARE)) {
      this.#said = 0;
      this.#log.info("most BMCs can be used again", { bad, of: total });
    }
  }
}
