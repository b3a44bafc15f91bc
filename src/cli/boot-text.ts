/** A boot as people read it: what was seen, when, how long nothing was, and what the machine waits for now. */
import type { BootRecord, RecordedSighting } from "#kinds/metal/v1alpha2/boot-record.ts";
import { FIRST_SIGHTINGS } from "#kinds/metal/v1alpha2/boot-record.ts";

/** Marks text for a terminal that can show it, and leaves it as it is for one that cannot. */
export type Style = (how: "bold" | "dim" | "yellow" | "red" | "green", text: string) => string;

/** Milliseconds without any sighting that people should look at, and that are bad. */
const LONG = 5000;
const VERY_LONG = 30_000;
/** Widths of the columns before the text. */
const COLUMNS = { time: 12, offset: 8, gap: 8, mark: 1, took: 7, what: 17 } as const;

/** The lines about the machine as its last record has it. */
export function machineLines({ spec }: BootRecord, style: Style): string[] {
  const { machine, server, uuid, macs = [], addresses = [] } = spec;
  const facts = [
    server === undefined ? "not registered" : "",
    uuid === undefined || uuid === machine ? "" : `UUID ${uuid}`,
    macs.length === 0 ? "" : `MAC ${macs.join(", ")}`,
    addresses.length === 0 ? "" : `address ${addresses.join(", ")}`,
  ].filter((fact) => fact !== "");
  return [style("bold", machine), ...(facts.length === 0 ? [] : [`  ${facts.join("; ")}`])];
}

/** One boot whole. `title` says which of several it is; `now` is in milliseconds since 1970. */
export function bootLines(record: BootRecord, title: string, now: number, style: Style): string[] {
  const { sightings = [], phase, duration = "", dropped = 0 } = record.status ?? {};
  const [first] = sightings;
  if (first === undefined) return [style("bold", `${title}: nothing was seen yet`)];
  const day = first.time.slice(0, 10);
  const head = `${title}, ${day} ${clockOf(first.time)} UTC: reached ${phase}${duration === "0s" ? "" : ` in ${duration}`}`;
  const lines = [style("bold", head), style("dim", columns("TIME", "OFFSET", "GAP", "", "TOOK", "WHAT", ""))];
  for (const [i, sighting] of sightings.entries()) {
    if (dropped > 0 && i === FIRST_SIGHTINGS) lines.push(style("yellow", `  … ${dropped} sightings are not kept …`));
    lines.push(sightingLine(sighting, first, sightings[i - 1], style));
  }
  return [...lines, ...outlookLines(record, now, style)];
}

/** One sighting: `before` is the one in front of it, undefined for the first. */
export function sightingLine(
  sighting: RecordedSighting,
  first: RecordedSighting,
  before: RecordedSighting | undefined,
  style: Style,
): string {
  const { time, what, text, took, count = 1, until, bytes } = sighting;
  const at = Date.parse(time);
  const gap = before === undefined ? undefined : at - Date.parse(before.until ?? before.time);
  const times =
    count === 1 ? "" : ` ×${count} until ${clockOf(until ?? time)}${bytes === undefined ? "" : `, ${sizeText(bytes)} in all`}`;
  const long = gap === undefined || gap < LONG ? "" : gap < VERY_LONG ? "yellow" : "red";
  // Without colours, too, a long silence must be seen.
  const mark = long === "" ? "" : "!";
  const line = columns(
    clockOf(time),
    `+${spanText(at - Date.parse(first.time))}`,
    gap === undefined || gap < 0 ? "" : spanText(gap),
    mark,
    took === undefined ? "" : spanText(took),
    what,
    text + times,
  );
  if (long !== "") return style(long, line);
  if (/\.(refused|failed|gone|nak|other-server)$/.test(what)) return style("yellow", line);
  return what === "agent.registered" ? style("green", line) : line;
}

/** What it waits for, what should come next, and since when nothing has been seen. Nothing for a boot that is over. */
export function outlookLines({ status }: BootRecord, now: number, style: Style): string[] {
  if (status === undefined) return [];
  const { waitingFor, next, endedAt, lastSeenAt = "" } = status;
  if (endedAt !== undefined) return [style("dim", `  over at ${clockOf(endedAt)}`)];
  if (waitingFor !== undefined) {
    const since = now - Date.parse(waitingFor.since);
    return [style("yellow", `  waiting for ${waitingFor.what}, since ${clockOf(waitingFor.since)} (${spanText(since)})`)];
  }
  if (next === undefined) return [];
  const silent = now - Date.parse(lastSeenAt);
  return [style(silent > VERY_LONG ? "red" : "dim", `  next: ${next} (nothing seen for ${spanText(silent)})`)];
}

function columns(time: string, offset: string, gap: string, mark: string, took: string, what: string, text: string): string {
  const cells = [
    time.padEnd(COLUMNS.time),
    offset.padStart(COLUMNS.offset),
    gap.padStart(COLUMNS.gap),
    mark.padEnd(COLUMNS.mark),
    took.padStart(COLUMNS.took),
    ` ${what.padEnd(COLUMNS.what)}`,
    text,
  ];
  return `  ${cells.join(" ")}`.trimEnd();
}

/** `03:10:02.123` of an RFC 3339 time in UTC. */
function clockOf(time: string): string {
  return time.slice(11, 23);
}

/** `7 ms`, `1.3 s`, `12 s`, `4m05s`, `2h10m`, `3d4h`: two units at most. */
export function spanText(milliseconds: number): string {
  const span = Math.max(0, Math.round(milliseconds));
  if (span < 1000) return `${span} ms`;
  if (span < 9950) return `${(span / 1000).toFixed(1)} s`;
  const seconds = Math.round(span / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d${Math.floor((minutes % 1440) / 60)}h`;
}

/** `700 B`, `70.1 kB`, `10 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
