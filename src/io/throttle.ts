/** A log that strangers cannot flood: so many lines in a second, and how many were left out. */
import { Bucket, type BucketOptions } from "./bucket.ts";
import type { Clock } from "./clock.ts";
import type { Facts, Log } from "./log.ts";

/** Errors go through, they are ours and not the strangers'; so do debug lines, for which somebody has asked. All logs made of this one by `with` share its bounds. */
export function throttled(log: Log, clock: Clock, lines: BucketOptions): Log {
  const bucket = new Bucket(clock, lines);
  let leftOut = 0;

  const wrap = (inner: Log): Log => {
    const bounded = (level: "warn" | "info") => (message: string, facts?: Facts) => {
      if (!bucket.take()) {
        leftOut++;
        return;
      }
      if (leftOut > 0) inner.warn("too many lines at once: some were left out", { count: leftOut });
      leftOut = 0;
      inner[level](message, facts);
    };
    return {
      error: (message, facts) => inner.error(message, facts),
      warn: bounded("warn"),
      info: bounded("info"),
      debug: (message, facts) => inner.debug(message, facts),
      with: (facts) => wrap(inner.with(facts)),
    };
  };
  return wrap(log);
}
