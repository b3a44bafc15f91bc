/** Durations as v1beta1 writes them (`1m30s`), and the whole seconds of v1beta2. */
import type { FieldError, FieldPath } from "#schema/field.ts";
import { invalid } from "#schema/field.ts";
import { string } from "#schema/kit.ts";
import { formatDuration, parseDuration } from "#std/duration.ts";

const MOST = 2 ** 31 - 1;

function check(text: string, path: FieldPath): FieldError[] {
  return parseDuration(text) === undefined ? [invalid(path, text, "must be a duration, such as 10m")] : [];
}

export const DurationText = string().check(check);

/** What is no duration says nothing. */
export function secondsOf(text: string | undefined): number | undefined {
  const milliseconds = text === undefined ? undefined : parseDuration(text);
  return milliseconds === undefined ? undefined : Math.min(Math.max(Math.floor(milliseconds / 1000), 0), MOST);
}

export function durationOf(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : formatDuration(seconds * 1000);
}
