/** What the processes of this bench have in common. */
export const HOST = "127.0.0.1";
export const USER = "admin";
export const PASSWORD = "correct-horse";
/** Milliseconds between two readings of one machine, in the bench: a thirtieth of what it is otherwise. */
export const PERIOD = 10_000;

/** Which of `count` are the `dead` ones: evenly among the others. */
export function isDead(i: number, count: number, dead: number): boolean {
  return dead > 0 && i % Math.round(count / dead) === 1;
}

/** Milliseconds; CPU time is user and system time of all threads. */
export interface Sweep {
  /** From nothing known to the power of every machine that answers. */
  readonly until: number;
  /** CPU time of `reads` readings, each in a session of its own, opened and closed. */
  readonly cpu: number;
  readonly reads: number;
}
