/** The list of what was seen in one boot: in order of time, bounded, repetitions folded. */
import { FIRST_SIGHTINGS, MOST_SIGHTINGS, MOST_TEXT } from "#kinds/metal/v1alpha2/boot-record.ts";
import { SIGHTINGS, type What } from "../sighting.ts";

/** Times in milliseconds since 1970. */
export interface Seen {
  readonly at: number;
  readonly what: What;
  readonly text: string;
  readonly took?: number;
  readonly bytes?: number;
  /** Times it was seen, from `at` to `until`; absent: once. */
  readonly count?: number;
  readonly until?: number;
}

export interface SeenList {
  readonly seen: readonly Seen[];
  /** Sightings that had to go, repetitions counted. */
  readonly dropped: number;
}

/** Entries to look back for a repetition. A client's dialogue with several DHCP servers fits in. */
const LOOK_BACK = 12;

/** Two lists as one. The order of the two does not matter, and what is in both counts once. */
export function merge(a: SeenList, b: SeenList): SeenList {
  const others = new Map<string, Seen[]>();
  for (const entry of b.seen) others.set(keyOf(entry), [...(others.get(keyOf(entry)) ?? []), entry]);
  const united = a.seen.map((entry) => {
    const twin = others.get(keyOf(entry))?.shift();
    return twin === undefined ? entry : folded(entry, twin, maximum);
  });
  const all = [...united, ...[...others.values()].flat()].toSorted(compare);
  return all.reduce<SeenList>(add, { seen: [], dropped: Math.max(a.dropped, b.dropped) });
}

function keyOf({ at, what, text }: Seen): string {
  return `${at} ${what} ${text}`;
}

function folded(a: Seen, b: Seen, total: (x: number | undefined, y: number | undefined) => number | undefined): Seen {
  const [took, bytes] = [total(a.took, b.took), total(a.bytes, b.bytes)];
  const count = total(countOf(a), countOf(b))!;
  return {
    at: Math.min(a.at, b.at),
    what: a.what,
    text: a.text,
    ...(took === undefined ? {} : { took }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(count === 1 ? {} : { count, until: Math.max(a.until ?? a.at, b.until ?? b.at) }),
  };
}

/** The list with one sighting more: counted where the same was seen a moment before, else in its place. */
export function add({ seen, dropped }: SeenList, entry: Seen): SeenList {
  const same = repeatedBy(seen, entry);
  if (same >= 0) return { seen: seen.with(same, folded(seen[same]!, entry, sum)), dropped };
  let at = seen.length;
  while (at > 0 && seen[at - 1]!.at > entry.at) at--;
  const longer = at === seen.length ? [...seen, entry] : seen.toSpliced(at, 0, entry);
  if (longer.length <= MOST_SIGHTINGS) return { seen: longer, dropped };
  const [gone] = longer.splice(FIRST_SIGHTINGS, 1);
  return { seen: longer, dropped: dropped + countOf(gone!) };
}

/** Where the same was seen, with nothing of another kind since; -1: nowhere. */
function repeatedBy(seen: readonly Seen[], entry: Seen): number {
  const family = familyOf(entry.what);
  for (let i = seen.length - 1; i >= 0 && i >= seen.length - LOOK_BACK; i--) {
    const { what, text } = seen[i]!;
    if (what === entry.what && text === entry.text) return entry.at < seen[i]!.at && isBehind(seen, i, entry) ? -1 : i;
    if (what !== entry.what && familyOf(what) !== family) return -1;
  }
  return -1;
}

/** Counting it there would put the entry at `i` before the one in front of it. */
function isBehind(seen: readonly Seen[], i: number, entry: Seen): boolean {
  return i > 0 && seen[i - 1]!.at > entry.at;
}

/** `dhcp` of `dhcp.discover`. */
function familyOf(what: What): string {
  return what.slice(0, what.indexOf("."));
}

/** By time; what two lists saw in one moment, in the order in which a boot goes. */
function compare(a: Seen, b: Seen): number {
  return a.at - b.at || SIGHTINGS.indexOf(a.what) - SIGHTINGS.indexOf(b.what) || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
}

function countOf({ count = 1 }: Seen): number {
  return count;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

function maximum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : Math.max(a, b ?? a);
}

const PLAIN = /^[\x20-\x7e]*$/;

/** Machines choose host names and file names: what would move a terminal's cursor shows as a replacement character. */
export function oneLine(text: string): string {
  if (text.length <= MOST_TEXT && PLAIN.test(text)) return text;
  const clean = text.slice(0, 4 * MOST_TEXT).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
  const characters = [...clean];
  return characters.length <= MOST_TEXT ? clean : `${characters.slice(0, MOST_TEXT - 1).join("")}…`;
}
