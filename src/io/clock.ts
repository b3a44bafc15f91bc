/** The door to time. Everything that waits or asks what time it is gets one of these from `main` (or a virtual one from a test). */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds on a clock that never goes back; for durations. */
  monotonic(): number;
  /** Runs `fire` once after `delay` milliseconds unless cancelled. A pending timer does not keep a node process alive. */
  after(delay: number, fire: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** RFC 3339 in whole seconds, UTC: Kubernetes' `metav1.Time`. */
export function timestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with six decimals, UTC: Kubernetes' `metav1.MicroTime`. */
export function microTimestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 23)}000Z`;
}

/** Resolves after `delay` ms, or rejects with the signal's reason. */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const timer = clock.after(delay, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = (): void => {
      timer.cancel();
      reject(signal!.reason as Error);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
