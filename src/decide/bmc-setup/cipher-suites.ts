/** Which cipher suites of a channel are opened for administrators (IPMI 2.0 §22.15, §23.2 parameters 22 to 24). */

/** SHA-256 and SHA-1, both with AES: what our client speaks. Suite 0 authenticates nobody, 1 and 2 encrypt nothing, 8 and up use MD5. */
export const SUITES = [17, 3] as const;
const ADMINISTRATOR = 4;

/**
 * The highest privilege of each suite (as in PRIVILEGE; 0: none), with those of ours raised to administrator; undefined when there is nothing to
 * change. `ids` and `levels` go side by side. Others' suites stay as they are: a person may have closed or need them.
 */
export function levelsAfter(ids: readonly number[], levels: readonly number[]): readonly number[] | undefined {
  const isOurs = (i: number): boolean => (SUITES as readonly number[]).includes(ids[i]!);
  const after = levels.map((level, i) => (isOurs(i) && level < ADMINISTRATOR ? ADMINISTRATOR : level));
  return after.some((level, i) => level !== levels[i]) ? after : undefined;
}

/** Whether anybody can come in without a password: suite 0 is open. For people to know; it is not ours to close. */
export function admitsAnybody(ids: readonly number[], levels: readonly number[]): boolean {
  return ids.some((id, i) => id === 0 && (levels[i] ?? 0) > 0);
}
