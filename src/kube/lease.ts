/**
 * Leader election on a Lease, as client-go does it: one holder at a time, as long as clocks run at about the same speed. What
 * time they show does not matter: nobody compares its clock with the times in the Lease, everybody measures how long the
 * Lease has not changed. A holder stops earlier (`renewDeadline`) than others may take over (`leaseDuration`).
 */
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { type Clock, microTimestamp, sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { jittered } from "./backoff.ts";
import type { Client, ResourceClient } from "./client.ts";
import { kindRef } from "./kind.ts";
import { isNotFound } from "./status.ts";

export interface Lease extends KubeObject {
  metadata: ObjectMeta;
  spec?: {
    /** "" after a release: free for the taking. */
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export const Lease = kindRef<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
});

export interface LeaseTimes {
  /** Milliseconds without a sign of the holder after which others take over. */
  readonly leaseDuration: number;
  /** Milliseconds without a successful renewal after which the holder gives up; well below `leaseDuration`. */
  readonly renewDeadline: number;
  /** Milliseconds between attempts. */
  readonly retryPeriod: number;
}

export const LEASE_TIMES: LeaseTimes = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };

export interface LeaderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all candidates, also among two processes of one host. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  /** Told who holds it, at every attempt that finds another one. */
  readonly onOther?: (identity: string) => void;
}

/** What a leader knows of its leadership. */
export interface Leadership {
  /** Aborted when leadership is lost or the whole is to stop. */
  readonly signal: AbortSignal;
  /** False as soon as another may be leading, even before `signal` could be: to be asked before an act that must not happen twice. */
  isHeld(): boolean;
}

/**
 * Waits to become leader, then runs `work`. Resolves when `work` has ended, also because `signal` was aborted, and the lease is
 * released; rejects with what `work` throws, or with Fault `kube.lease-lost` when another may have taken over meanwhile.
 */
export async function lead(
  options: LeaderOptions,
  signal: AbortSignal,
  work: (leadership: Leadership) => Promise<void>,
): Promise<void> {
  const candidate = new Candidate(options);
  try {
    await candidate.acquire(signal);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  options.log.info("leading", { lease: options.name, identity: options.identity });
  const tenure = new AbortController();
  const stop = (): void => tenure.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const renewing = candidate.renew(tenure);
  try {
    await work({ signal: tenure.signal, isHeld: () => !tenure.signal.aborted && candidate.isHeld() });
  } catch (error) {
    if (!tenure.signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    tenure.abort();
    await renewing;
    if (!isLost(tenure.signal)) await candidate.release();
  }
  if (isLost(tenure.signal)) throw tenure.signal.reason;
}

function isLost(signal: AbortSignal): boolean {
  return Fault.is(signal.reason, "kube.lease-lost");
}

class Candidate {
  readonly #options: LeaderOptions;
  readonly #times: LeaseTimes;
  readonly #leases: ResourceClient<Lease>;
  /** The Lease as last read, and when (monotonic) it was first seen like that. */
  #observed: Lease | undefined;
  #observedAt = 0;
  /** When (monotonic) the last successful renewal was sent: whoever saw it saw it later. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#times = options.times ?? LEASE_TIMES;
    this.#leases = options.client.for(Lease).in(options.namespace);
  }

  isHeld(): boolean {
    return this.#options.clock.monotonic() < this.#renewedAt + this.#times.renewDeadline;
  }

  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, entropy, onOther } = this.#options;
    while (!(await this.#attempt(signal))) {
      if (this.#isOthers()) onOther?.(this.#observed?.spec?.holderIdentity ?? "");
      await sleep(clock, jittered(this.#times.retryPeriod, 1.2, entropy), signal);
    }
  }

  /** Renews until `tenure` is aborted, and aborts it itself once the deadline has passed without success. */
  async renew(tenure: AbortController): Promise<void> {
    const { clock, namespace, name } = this.#options;
    const lose = (): void => {
      const message = `the lease ${namespace}/${name} could not be renewed in time`;
      tenure.abort(new Fault("kube.lease-lost", message, { fault: "world", retry: "soon" }));
    };
    const remaining = (): number => this.#renewedAt + this.#times.renewDeadline - clock.monotonic();
    let deadline = clock.after(remaining(), lose);
    while (!tenure.signal.aborted) {
      await sleep(clock, this.#times.retryPeriod, tenure.signal).catch(() => {});
      if (tenure.signal.aborted || !(await this.#attempt(tenure.signal))) continue;
      deadline.cancel();
      deadline = clock.after(remaining(), lose);
    }
    deadline.cancel();
  }

  /** Lets others take over at once. Only after everything that leadership protects has ended. */
  async release(): Promise<void> {
    const { clock, log } = this.#options;
    const lease = this.#observed;
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const now = microTimestamp(clock);
    try {
      await this.#leases.update({
        ...lease,
        spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now },
      });
    } catch (error) {
      log.warn("could not release the lease", { lease: this.#options.name, because: error });
    }
  }

  /** Takes or renews the lease if it is free, expired or ours; true when it is ours now. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { clock, log, name, identity } = this.#options;
    try {
      this.#observe(await this.#read(signal));
      if (this.#isOthers()) return false;
      const sent = clock.monotonic();
      this.#observe(await this.#write(signal));
      this.#renewedAt = sent;
      return true;
    } catch (error) {
      if (!signal.aborted) log.debug("no answer about the lease", { lease: name, identity, because: error });
      return false;
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#leases.get(this.#options.name, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #observe(lease: Lease | undefined): void {
    if (this.#observed !== undefined && equal(this.#observed.spec, lease?.spec)) {
      this.#observed = lease;
      return;
    }
    this.#observed = lease;
    this.#observedAt = this.#options.clock.monotonic();
  }

  /** Somebody else holds it and has shown life within its own duration, by our watch. */
  #isOthers(): boolean {
    const { holderIdentity = "", leaseDurationSeconds } = this.#observed?.spec ?? {};
    if (holderIdentity === "" || holderIdentity === this.#options.identity) return false;
    const duration = leaseDurationSeconds === undefined ? this.#times.leaseDuration : leaseDurationSeconds * 1000;
    return this.#options.clock.monotonic() < this.#observedAt + duration;
  }

  /** Refused by the server (`api.conflict`, `api.already-exists`) when another candidate was faster. */
  async #write(signal: AbortSignal): Promise<Lease> {
    const { clock, name, namespace, identity } = this.#options;
    const old = this.#observed;
    const now = microTimestamp(clock);
    const isOurs = old?.spec?.holderIdentity === identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#times.leaseDuration / 1000),
      acquireTime: isOurs ? (old.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.spec?.leaseTransitions ?? 0) + (old === undefined || isOurs ? 0 : 1),
    };
    if (old === undefined) return await this.#leases.create({ metadata: { name, namespace }, spec }, { signal });
    return await this.#leases.update({ ...old, spec }, { signal });
  }
}
