/**
 * Everything that is asked of one BMC goes through its lane: one call at a time, in one session; what a person waits for before what the life cycle
 * waits for, and readings last. A lane that has nothing to do is data and nothing else.
 */
import { formatBmcAddress } from "#decide/bmc-address.ts";
import type { BmcAddress } from "#decide/bmc-address.ts";
import type { Breaker, PowerFacts, PowerOperation, PowerOutcome, PowerState } from "#decide/power.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import { fraction } from "#io/entropy.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { formatDuration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import type { Bmc } from "./bmc.ts";
import { admits, afterFailure, CLOSED, isOfBmc, probing } from "./breaker.ts";
import type { Meters } from "./metrics.ts";
import { perform } from "./operation.ts";
import { Pacer } from "./paced.ts";
import { nextReading, phaseOf } from "./polling.ts";
import { Queue } from "./queue.ts";
import type { Entry } from "./queue.ts";
import { Reading } from "./reading.ts";
import { Session } from "./session.ts";
import type { CallName, FleetSettings } from "./settings.ts";
import { commandSighting, stateSighting } from "./telling.ts";

export interface LanePorts {
  readonly machine: string;
  readonly address: BmcAddress;
  /** Reads the credentials, and makes what speaks to the BMC. */
  readonly open: () => Promise<Bmc>;
  /** Of a certificate that was taken at first sight. */
  readonly fingerprint: () => string | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly meters: Meters;
  readonly settings: FleetSettings;
  readonly witness: Witness;
  /** The facts are others now. */
  readonly onChange: () => void;
  /** When {@link Lane.read} is to be called next, in milliseconds. */
  readonly onSchedule: (delay: number) => void;
}

/** Of what is not to go on; nobody is told. */
const superseded = (): Fault =>
  new Fault("bmc.superseded", "something else has taken its place", {
    fault: "caller",
    retry: "never",
    facts: { isOurs: true },
  });
const otherCredentials = (): Fault =>
  new Fault("bmc.unreachable", "the credentials have changed", { fault: "caller", retry: "soon", facts: { isOurs: true } });

export class Lane {
  readonly #ports: LanePorts;
  readonly #pacer: Pacer;
  readonly #session: Session;
  readonly #reading: Reading;
  readonly #queue = new Queue();
  readonly #phase: number;
  #breaker: Breaker = CLOSED;
  #power: PowerState | "unknown" = "unknown";
  #readAt: number | undefined;
  /** Readings since something was done to the machine. */
  #quiet = Number.POSITIVE_INFINITY;
  #facts: PowerFacts | undefined;
  /** Aborted to end the call under way: when the lane closes, or its credentials are others. */
  #stop = new AbortController();
  #work: Promise<void> | undefined;
  /** Wakes whoever waits for the reading that is asked for. */
  #readers: (() => void)[] = [];
  /** Of a reading that may take minutes, and can wait. */
  #errand = new AbortController();
  #isClosed = false;

  constructor(ports: LanePorts) {
    this.#ports = ports;
    const { clock, meters, settings } = ports;
    this.#phase = phaseOf(ports.machine);
    this.#pacer = new Pacer({ clock, meters, settings });
    this.#session = new Session(ports.open, clock);
    this.#reading = new Reading(clock, settings, this.#phase);
  }

  get facts(): PowerFacts {
    const fingerprint = this.#ports.fingerprint();
    return (this.#facts ??= {
      way: "bmc",
      power: this.#power,
      ...(this.#readAt === undefined ? {} : { readAt: this.#readAt }),
      breaker: this.#breaker,
      ...(this.#queue.last === undefined ? {} : { operation: this.#queue.last.outcome }),
      ...this.#reading.facts,
      ...(fingerprint === undefined ? {} : { fingerprint }),
    });
  }

  /** Begins an operation unless it is known. The newest one of an urgency is the one that is wanted, and one of a person ends what the life cycle does. */
  begin(operation: PowerOperation): void {
    if (this.#isClosed) return;
    const isNew = this.#queue.add(operation, this.#ports.clock.now(), superseded);
    if (isNew !== undefined) this.#changed();
    if (this.#queue.isBusy) this.#errand.abort(superseded());
    this.#pump();
  }

  /** Ends the operation with this id, and its call under way: what was sent already may still have its effect. */
  withdraw(id: string): void {
    if (this.#queue.withdraw(id, superseded)) this.#changed();
  }

  /** Reads the power, and what else is due. Resolves when that has ended, well or not; at once where an operation is under way, which reads by itself. */
  async read(): Promise<void> {
    if (this.#isClosed || this.#queue.isBusy) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#readers.push(resolve);
    this.#pump();
    await promise;
  }

  /** The fingerprint is another one. */
  touch(): void {
    this.#changed();
  }

  /** Other credentials: what the old ones brought about is forgotten. */
  reset(): void {
    this.#stop.abort(otherCredentials());
    this.#stop = new AbortController();
    void this.#session.forget();
    this.#breaker = CLOSED;
    this.#reading.forget();
    this.#changed();
    this.#ports.onSchedule(0);
  }

  /** Ends everything, the session with the BMC included. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.clear(superseded);
    this.#stop.abort(superseded());
    await this.#work;
    await this.#session.forget();
  }

  #pump(): void {
    const failed = (error: unknown): void =>
      this.#ports.log.error("the lane of a BMC has failed", { server: this.#ports.machine, because: error });
    this.#work ??= this.#run()
      .catch(failed)
      .finally(() => {
        this.#work = undefined;
        // What came while the last of it ended.
        if (!this.#isClosed && (this.#queue.isBusy || this.#readers.length > 0)) this.#pump();
      });
  }

  async #run(): Promise<void> {
    for (;;) {
      const entry = this.#queue.take();
      if (entry !== undefined) await this.#perform(entry);
      else if (this.#readers.length > 0) await this.#read();
      else break;
    }
    const { now, settings } = { now: this.#ports.clock.now(), settings: this.#ports.settings };
    const next = nextReading({ now, breaker: this.#breaker, quiet: this.#quiet, phase: this.#phase }, settings);
    if (this.#isClosed) return;
    this.#ports.onSchedule(next);
    // Few BMCs have many sessions to give.
    if (next > settings.idle) await this.#session.drop();
  }

  async #perform(entry: Entry): Promise<void> {
    const { clock, meters, machine, address, witness } = this.#ports;
    const { operation } = entry;
    const { signal } = entry.cease;
    const log = this.#ports.log.with({ server: machine, bmc: formatBmcAddress(address), operation: operation.id });
    const began = clock.monotonic();
    this.#outcome(entry, { state: "running" });
    let told: number | undefined;
    let last: Fault | undefined;
    try {
      // A person may knock at a door that is shut, once; the life cycle comes back when it opens.
      if (operation.urgency === "lifecycle" && !admits(this.#breaker, clock.now())) throw leftAlone(this.#breaker);
      this.#breaker = probing(this.#breaker);
      await perform(operation, {
        ...this.#ports,
        signal,
        lacks: (action) => this.#reading.lacks(action),
        read: async () => {
          const before = this.#power;
          const state = await this.#call("power", signal, (bmc, stop) => bmc.power(stop));
          this.#see(state, told === undefined ? undefined : clock.monotonic() - told, before);
          return state;
        },
        command: async (action) => {
          witness(commandSighting(this.#ports, operation, action));
          told = clock.monotonic();
          await this.#call("command", signal, (bmc, stop) => bmc.command(action, stop));
        },
        bootOnce: (boot) => this.#call("bootOnce", signal, (bmc, stop) => bmc.bootOnce(boot, stop)),
        identify: (on) => this.#call("identify", signal, (bmc, stop) => bmc.identify(on, stop)),
        onStep: (step) => this.#outcome(entry, { state: "running", step }),
        onFailure: (fault) => {
          last = fault;
          return this.#failed(fault);
        },
      });
      this.#outcome(entry, { state: "done" });
      log.info("a power operation is done", {
        because: operation.because,
        took: formatDuration(Math.round(clock.monotonic() - began)),
      });
      meters.operation("done");
    } catch (error) {
      const fault = Fault.from(error);
      const { code, message, retry } = fault;
      const isTold = last === fault || code === "bmc.left-alone";
      this.#outcome(entry, {
        state: "failed",
        ...(entry.outcome.step && { step: entry.outcome.step }),
        error: { code, message, retry },
      });
      if (isTold) log.warn("a power operation failed", { because: fault });
      meters.operation(code);
    }
    this.#quiet = 0;
  }

  async #read(): Promise<void> {
    const waiting = this.#readers;
    this.#readers = [];
    const { clock } = this.#ports;
    const { signal } = this.#stop;
    const isFree = (): boolean => !this.#queue.isBusy && !this.#isClosed;
    try {
      if (this.#isClosed || !admits(this.#breaker, clock.now())) return;
      this.#breaker = probing(this.#breaker);
      const before = this.#power;
      this.#see(await this.#call("power", signal, (bmc, stop) => bmc.power(stop)), undefined, before);
      this.#quiet++;
      this.#errand = new AbortController();
      const { signal: errand } = this.#errand;
      const call = <T>(name: CallName, run: (bmc: Bmc, stop: AbortSignal) => Promise<T>): Promise<T> =>
        this.#call(name, errand, run);
      if (await this.#reading.readDue(call, isFree)) this.#changed();
    } catch (error) {
      if (!signal.aborted) this.#failed(Fault.from(error));
    } finally {
      for (const wake of waiting) wake();
    }
  }

  /** One call in the session, which is opened for it where there is none. It ends with `signal`, and with the lane. */
  async #call<T>(name: CallName, signal: AbortSignal, run: (bmc: Bmc, stop: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const { protocol } = this.#ports.address;
    const own = this.#stop.signal;
    const stop = signal === own ? own : AbortSignal.any([signal, own]);
    const result = await this.#pacer.call(name, protocol, stop, async (limit) => run(await this.#session.get(), limit));
    if (!stop.aborted) this.#answered();
    return result;
  }

  #answered(): void {
    if (this.#breaker === CLOSED) return;
    this.#breaker = CLOSED;
    this.#changed();
  }

  /** Takes note of a failed attempt; whether there may be another one soon. */
  #failed(fault: Fault): boolean {
    if (this.#isClosed) return false;
    if (fault.facts["isOurs"] === true) return true;
    if (!isOfBmc(fault.code)) {
      this.#answered();
      return true;
    }
    const { clock, entropy, settings } = this.#ports;
    this.#breaker = afterFailure(this.#breaker, fault, clock.now(), fraction(entropy), settings.breaker);
    // Whatever state it is in, the next one begins from the beginning.
    if (fault.code !== "bmc.busy") void this.#session.forget();
    this.#changed();
    return admits(this.#breaker, clock.now());
  }

  #see(state: PowerState, took: number | undefined, before: PowerState | "unknown"): void {
    this.#readAt = this.#ports.clock.now();
    this.#facts = undefined;
    if (state === this.#power) return;
    this.#power = state;
    // What it was before the first reading, nobody knows; it may have been on for a year.
    if (before !== "unknown") {
      this.#quiet = 0;
      this.#ports.witness(stateSighting(this.#ports, state, took));
    }
    this.#changed();
  }

  #outcome(entry: Entry, what: Omit<PowerOutcome, "id" | "at">): void {
    entry.outcome = { id: entry.operation.id, at: this.#ports.clock.now(), ...what };
    if (entry === this.#queue.last) this.#changed();
  }

  #changed(): void {
    this.#facts = undefined;
    this.#ports.onChange();
  }
}

function leftAlone({ error = "it failed", retryAt = 0 }: Breaker): Fault {
  const until = new Date(retryAt).toISOString().slice(0, 19);
  return new Fault("bmc.left-alone", `the BMC is left alone until ${until}Z: ${error}`, { fault: "peer", retry: "later" });
}
