/** Waiting between attempts: exponential, bounded, and never in step with the other replicas that failed at the same moment. */
import { fraction } from "#io/entropy.ts";
import type { Entropy } from "#io/entropy.ts";

export interface BackoffOptions {
  /** Milliseconds before the second attempt. */
  readonly base: number;
  /** Milliseconds, the longest wait. */
  readonly most: number;
}

/** Milliseconds between 1 and 1 + `spread` times `delay`. */
export function jittered(delay: number, spread: number, entropy: Entropy): number {
  return delay * (1 + spread * fraction(entropy));
}

/** Milliseconds to wait after `failures` (1, 2, …) failures in a row: base × 2ⁿ⁻¹ up to `most`, half of it random. */
export function backoff(failures: number, options: BackoffOptions, entropy: Entropy): number {
  const full = Math.min(options.most, options.base * 2 ** Math.min(failures - 1, 40));
  return jittered(full / 2, 1, entropy);
}
