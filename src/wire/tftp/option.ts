/** Negotiation of RFC 2347 from the server's side: what is granted of what a client asks for. */
import type { Duration } from "#std/duration.ts";
import { DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE, MAX_TIMEOUT_SECONDS, MAX_WINDOW_SIZE, MIN_BLOCK_SIZE } from "./constants.ts";
import type { Options } from "./packet.ts";

export interface Limits {
  /** The largest block granted, in bytes. */
  readonly blockSize: number;
  /** The most data on its way to one client, in bytes: windows are granted accordingly. */
  readonly windowBytes: number;
}

/** A window is sent at once: more than this and a burst of a hundred machines would overflow the queues of a switch. */
export const LIMITS: Limits = { blockSize: MAX_BLOCK_SIZE, windowBytes: 64 * 1024 };

export interface Terms {
  readonly blockSize: number;
  readonly windowSize: number;
  /** The client's wish for the time between retransmissions. */
  readonly timeout: Duration | undefined;
  /** What the option acknowledgement says, in the order of the request; empty when there is to be none. */
  readonly granted: Options;
}

/**
 * An option that is unknown or whose value makes no sense is passed over, as RFC 2347 allows: the client then goes on without it.
 * Sizes above the limits are granted smaller (RFC 2348, RFC 7440 §3).
 */
export function negotiate(asked: Options, size: number, limits: Limits): Terms {
  const blockWish = wish(asked, "blksize", MIN_BLOCK_SIZE, Number.MAX_SAFE_INTEGER);
  const blockSize = blockWish === undefined ? DEFAULT_BLOCK_SIZE : Math.min(blockWish, limits.blockSize);
  const windowWish = wish(asked, "windowsize", 1, MAX_WINDOW_SIZE);
  const windowSize = Math.max(1, Math.min(windowWish ?? 1, Math.floor(limits.windowBytes / blockSize)));
  const seconds = wish(asked, "timeout", 1, MAX_TIMEOUT_SECONDS);
  const answers: Record<string, number | undefined> = {
    blksize: blockWish === undefined ? undefined : blockSize,
    windowsize: windowWish === undefined ? undefined : windowSize,
    timeout: seconds,
    tsize: wish(asked, "tsize", 0, Number.MAX_SAFE_INTEGER) === undefined ? undefined : size,
  };
  const granted = new Map<string, string>();
  for (const name of asked.keys()) {
    const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
    if (answer !== undefined) granted.set(name, String(answer));
  }
  return { blockSize, windowSize, timeout: seconds === undefined ? undefined : seconds * 1000, granted };
}

/** A decimal number of the range, or undefined. */
export function wish(options: Options, name: string, least: number, most: number): number | undefined {
  const text = options.get(name);
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}
