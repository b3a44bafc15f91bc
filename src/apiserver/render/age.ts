/** Ages as kubectl prints them (k8s.io/apimachinery/pkg/util/duration HumanDuration): two units at most, coarser the older. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** `42s`, `5m30s`, `3h12m`, `2d4h`, `1y20d`; two seconds in the future are still now, more is `<invalid>`. In milliseconds. */
export function age(elapsed: number): string {
  if (elapsed <= -2 * SECOND) return "<invalid>";
  if (elapsed < 0) return "0s";
  if (elapsed < 2 * MINUTE) return `${whole(elapsed, SECOND)}s`;
  if (elapsed < 10 * MINUTE) return pair(elapsed, MINUTE, "m", SECOND, "s");
  if (elapsed < 3 * HOUR) return `${whole(elapsed, MINUTE)}m`;
  if (elapsed < 8 * HOUR) return pair(elapsed, HOUR, "h", MINUTE, "m");
  if (elapsed < 2 * DAY) return `${whole(elapsed, HOUR)}h`;
  if (elapsed < 8 * DAY) return pair(elapsed, DAY, "d", HOUR, "h");
  if (elapsed < 2 * YEAR) return `${whole(elapsed, DAY)}d`;
  if (elapsed < 8 * YEAR) return pair(elapsed, YEAR, "y", DAY, "d");
  return `${whole(elapsed, YEAR)}y`;
}

function whole(elapsed: number, unit: number): number {
  return Math.floor(elapsed / unit);
}

function pair(elapsed: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = whole(elapsed % large, small);
  return rest === 0 ? `${whole(elapsed, large)}${largeName}` : `${whole(elapsed, large)}${largeName}${rest}${smallName}`;
}

/** RFC 3339 as Go reads it: a `T`, seconds, an optional fraction, `Z` or a numeric offset. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A `date` cell: `<unknown>` for no time, `<invalid>` for what is not one. `now` in milliseconds since 1970. */
export function ageSince(time: string, now: number): string {
  if (time === "" || time === "null") return "<unknown>";
  const then = RFC3339.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(then) ? "<invalid>" : age(now - then);
}
