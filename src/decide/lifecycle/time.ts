/** Times of a status are RFC 3339 in whole seconds, those of decisions milliseconds since 1970. */

export function stamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** NaN for a time that is missing or none: every comparison with it is false. */
export function parse(time: string | undefined): number {
  return time === undefined ? Number.NaN : Date.parse(time);
}

export const SECOND = 1000;
export const MINUTE = 60_000;
