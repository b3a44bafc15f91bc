/** How much is measured. `SCALE=small` is for seeing that it runs; its figures mean little. */

export interface Scale {
  /** Objects in the store for lists, memory, fan-out and cold start. */
  readonly servers: number;
  readonly watchers: number;
  /** Each is one measurement on ours and one on the genuine server; their median is what counts. */
  readonly rounds: number;
  /** Operations of one round of `get` and `update` with 64 clients, and with one client. */
  readonly many: number;
  readonly few: number;
  readonly lists: number;
  /** Events sent to all watchers in one round. */
  readonly events: number;
}

const FULL: Scale = { servers: 10_000, watchers: 1_000, rounds: 3, many: 1_500, few: 200, lists: 1, events: 20 };
const SMALL: Scale = { servers: 600, watchers: 100, rounds: 1, many: 200, few: 40, lists: 1, events: 10 };

export function readScale(text: string | undefined): Scale {
  if (text === undefined || text === "" || text === "full") return FULL;
  if (text === "small") return SMALL;
  throw new Error(`SCALE=${text}: must be full or small`);
}
