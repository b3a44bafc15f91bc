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

/** The list with one sighting more: counted where the same was seen a moment before, else in its place. */
export function add(list: SeenList, entry: Seen): SeenList {
  return insert(list, entry, (a, b) => ({
    took: sum(a.took, b.took),
    bytes: sum(a.bytes, b.bytes),
    count: countOf(a) + countOf(b),
  }));
}

/** Two lists as one. The order of the two does not matter, and what is in both counts once. */
export function merge(a: SeenList, b: SeenList): SeenList {
  let merged: SeenList = { seen: [], dropped: Math.max(a.dropped, b.dropped) };
  let [i, j] = [0, 0];
  while (i < a.seen.length || j < b.seen.length) {
    const [left, right] = [a.seen[i], b.seen[j]];
    const isLeft = right === undefined || (left !== undefined && compare(left, right) <= 0);
    merged = insert(merged, isLeft ? left! : right, unite);
    if (isLeft) i++;
    else j++;
  }
  return merged;
}

type Totals = { took: number | undefined; bytes: number | undefined; count: number };

function unite(a: Seen, b: Seen): Totals {
  const isSame = a.at === b.at;
  const [both, counts] = isSame ? [maximum, Math.max] : [sum, (x: number, y: number): number => x + y];
  return { took: both(a.took, b.took), bytes: both(a.bytes, b.bytes), count: counts(countOf(a), countOf(b)) };
}

function insert({ seen, dropped }: SeenList, entry: Seen, totals: (a: Seen, b: Seen) => Totals): SeenList {
  const same = repeatedBy(seen, entry);
  if (same >= 0) {
    const old = seen[same]!;
    const { took, bytes, count } = totals(old, entry);
    const folded: Seen = {
      at: Math.min(old.at, entry.at),
      what: entry.what,
      text: entry.text,
      ...(took === undefined ? {} : { took }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(count === 1 ? {} : { count, until: Math.max(old.until ?? old.at, entry.until ?? entry.at) }),
    };
    return { seen: seen.with(same, folded), dropped };
  }
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
    if (familyOf(what) !== family) return -1;
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

/** Machines choose host names and file names: what would move a terminal's cursor shows as a replacement character. */
export function oneLine(text: string): string {
  const clean = text.slice(0, 4 * MOST_TEXT).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
  const characters = [...clean];
  return characters.length <= MOST_TEXT ? clean : `${characters.slice(0, MOST_TEXT - 1).join("")}…`;
}
