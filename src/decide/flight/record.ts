/** A boot as it stands in a BootRecord, and back. */
import type { BootRecord, RecordedSighting } from "#kinds/metal/v1alpha2/boot-record.ts";
import { PHASES } from "#kinds/metal/v1alpha2/boot-record.ts";
import { formatDuration } from "#std/duration.ts";
import { SIGHTINGS, type What } from "../sighting.ts";
import type { Boot } from "./boot.ts";
import { nextAfter } from "./phase.ts";
import { oneLine, type Seen } from "./sightings.ts";

type Status = NonNullable<BootRecord["status"]>;

export function statusOf(boot: Boot): Status {
  const { startedAt, lastSeenAt, endedAt, phase, waitingFor, seen, dropped } = boot;
  const next = endedAt === undefined ? nextAfter(phase) : undefined;
  return {
    phase,
    startedAt: microTime(startedAt),
    lastSeenAt: microTime(lastSeenAt),
    ...(endedAt === undefined ? {} : { endedAt: microTime(endedAt) }),
    duration: formatDuration(lastSeenAt - startedAt),
    ...(waitingFor === undefined ? {} : { waitingFor: { what: waitingFor.what, since: microTime(waitingFor.since) } }),
    ...(next === undefined ? {} : { next }),
    sightings: seen.map(({ at, until, ...rest }) => ({
      time: microTime(at),
      ...rest,
      ...(until === undefined ? {} : { until: microTime(until) }),
    })),
    ...(dropped === 0 ? {} : { dropped }),
  };
}

/** Undefined when the record has not been begun, or was written by somebody who does not know how. */
export function bootOf({ status }: BootRecord): Boot | undefined {
  const startedAt = milliseconds(status?.startedAt);
  if (status === undefined || startedAt === undefined) return undefined;
  const endedAt = milliseconds(status.endedAt);
  const since = milliseconds(status.waitingFor?.since);
  return {
    startedAt,
    lastSeenAt: milliseconds(status.lastSeenAt) ?? startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    phase: status.phase ?? PHASES[0],
    ...(since === undefined ? {} : { waitingFor: { what: status.waitingFor!.what, since } }),
    seen: (status.sightings ?? []).flatMap(seenOf).toSorted((a, b) => a.at - b.at),
    dropped: status.dropped ?? 0,
  };
}

function seenOf({ time, what, text, until, ...rest }: RecordedSighting): Seen[] {
  const at = milliseconds(time);
  const known = SIGHTINGS.find((each): each is What => each === what);
  if (at === undefined || known === undefined) return [];
  const last = milliseconds(until);
  return [{ at, what: known, text: oneLine(text), ...rest, ...(last === undefined ? {} : { until: last }) }];
}

/** metav1.MicroTime of milliseconds since 1970. */
export function microTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}

function milliseconds(time: string | undefined): number | undefined {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? undefined : at;
}
