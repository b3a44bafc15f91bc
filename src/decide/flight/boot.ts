/**
 * One boot of a machine as a value: what was seen, how far it came, what it waits for. Folding the same sightings gives the same boot, and
 * two halves of one boot (two names of one machine, two processes that watched) join to it.
 */
import { PHASES, type Phase } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Sighting, What } from "../sighting.ts";
import { later, phaseOf, rank } from "./phase.ts";
import { add, merge, oneLine, type Seen, type SeenList } from "./sightings.ts";

export interface Wait {
  readonly what: string;
  readonly since: number;
}

/** Times in milliseconds since 1970. */
export interface Boot extends SeenList {
  readonly startedAt: number;
  /** Of the machine: that Sidero stopped or started is no sign of its life. */
  readonly lastSeenAt: number;
  readonly endedAt?: number;
  readonly phase: Phase;
  readonly waitingFor?: Wait;
}

/** Milliseconds: whoever asks for an address, a program or a script after that long has been off in between. */
const SILENCE = 10 * 60_000;
/** Milliseconds after which a script asked for again is no second attempt of the same boot. */
const ATTEMPT = 60_000;

const OURS: ReadonlySet<What> = new Set(["sidero.stopped", "sidero.started"]);
/** Tell something, but not that the machine has gone on. */
const ASIDE: ReadonlySet<What> = new Set<What>(["agent.log", ...OURS]);

/** A boot that this is the first sighting of. */
export function beginBoot(sighting: Sighting): Boot {
  const { at } = sighting;
  return fold({ startedAt: at, lastSeenAt: at, phase: PHASES[0], seen: [], dropped: 0 }, sighting);
}

/** Whether the sighting belongs to a later power-on than `boot`. */
export function beginsAnew(boot: Boot, { what, at, begins }: Sighting): boolean {
  const phase = phaseOf(what, PHASES[0]);
  // What is told late has happened in this boot.
  if (phase === undefined || ASIDE.has(what) || what === "dhcp.other-server" || at < boot.lastSeenAt) return false;
  const reached = rank(boot.phase);
  const gap = at - boot.lastSeenAt;
  const isOver = boot.endedAt !== undefined;
  // One that switches off, or a light on, is part of what is.
  if (what === "power.command" && begins !== true) return false;
  if (what === "power.on" || what === "power.command") return isOver || reached > rank("power");
  if (begins === true) return isOver || reached > rank("dhcp") || gap > SILENCE;
  // A machine that was sent to its disk may ask by its next interface before it goes.
  if (isOver) return gap > ATTEMPT && rank(phase) <= rank("script");
  if (what === "tftp.sent" || what === "script.served") {
    // Nothing that has been booted asks for these: it was the firmware, whose own beginning nobody has seen.
    if (reached >= rank("agent")) return true;
    return gap > (reached === rank("kernel") ? ATTEMPT : SILENCE);
  }
  // A lease is renewed by a request: whoever discovers has no address.
  return what === "dhcp.discover" && gap > SILENCE && reached > rank("dhcp");
}

/** The boot with one sighting more. */
export function fold(boot: Boot, sighting: Sighting): Boot {
  const { what, at, took, bytes } = sighting;
  const entry: Seen = {
    at,
    what,
    text: oneLine(sighting.text),
    ...(took === undefined ? {} : { took: Math.round(took) }),
    ...(bytes === undefined ? {} : { bytes }),
  };
  const phase = phaseOf(what, boot.phase);
  const wait = waitAfter(boot, sighting, phase);
  const endedAt = isEnd(sighting) ? at : boot.endedAt;
  return {
    ...add(boot, entry),
    startedAt: Math.min(boot.startedAt, at),
    lastSeenAt: OURS.has(what) ? boot.lastSeenAt : Math.max(boot.lastSeenAt, at),
    phase: phase === undefined ? boot.phase : later(boot.phase, phase),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(wait === undefined ? {} : { waitingFor: wait }),
  };
}

function isEnd({ what, ends }: Sighting): boolean {
  return what === "power.off" || ends === true;
}

function waitAfter(boot: Boot, sighting: Sighting, phase: Phase | undefined): Wait | undefined {
  const old = boot.waitingFor;
  if (sighting.waitingFor !== undefined) {
    const what = oneLine(sighting.waitingFor);
    return old?.what === what ? old : { what, since: sighting.at };
  }
  if (isEnd(sighting)) return undefined;
  // What is of an earlier phase (a lease is renewed), or was seen before, is no going on.
  const isEarlier = sighting.at < boot.lastSeenAt || (phase !== undefined && rank(phase) < rank(boot.phase));
  return isEarlier || ASIDE.has(sighting.what) ? old : undefined;
}

/** Two halves of one boot. The order of the two does not matter. */
export function join(a: Boot, b: Boot): Boot {
  const list = merge(a, b);
  const endedAt = maximum(a.endedAt, b.endedAt);
  const waitingFor = compare(a, b) < 0 ? (b.waitingFor ?? a.waitingFor) : (a.waitingFor ?? b.waitingFor);
  // A file that looked like a boot program to the half that did not know of the script.
  const seen = list.seen.reduce<Phase>((reached, { what }) => later(reached, phaseOf(what, reached) ?? reached), PHASES[0]);
  return {
    ...list,
    startedAt: Math.min(a.startedAt, b.startedAt),
    lastSeenAt: Math.max(a.lastSeenAt, b.lastSeenAt),
    phase: later(seen, later(a.phase, b.phase)),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}

/** Which of two halves knows more of the present. */
function compare(a: Boot, b: Boot): number {
  return a.lastSeenAt - b.lastSeenAt || rank(a.phase) - rank(b.phase) || (a.waitingFor?.since ?? 0) - (b.waitingFor?.since ?? 0);
}

function maximum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : Math.max(a, b ?? a);
}

/** The boot is over, since `at` at the latest; nothing is waited for any more. */
export function endBoot(boot: Boot, at: number): Boot {
  const ended: Boot & { waitingFor?: Wait } = { ...boot, endedAt: boot.endedAt ?? at };
  delete ended.waitingFor;
  return ended;
}
