import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { type Clock, sleep } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Client } from "./client.ts";
import { lead, type Leadership, type Lease } from "./lease.ts";
import { statusFault } from "./status.ts";

interface Network {
  /** Milliseconds of an exchange. */
  readonly delay: number;
  readonly loses?: "request" | "answer" | undefined;
}

/** One Lease with optimistic locking, behind a network that can be slow, or lose requests and answers. */
class Register {
  lease: Lease | undefined;
  writes = 0;
  readonly #clock: VirtualClock;
  #revision = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** As one candidate reaches it; `network` says for each exchange how long it takes and what gets lost. */
  client(network: () => Network): Client {
    const exchange = async <R>(signal: AbortSignal | undefined, answer: () => R): Promise<R> => {
      const { delay, loses } = network();
      await sleep(this.#clock, delay / 2, signal);
      if (loses === "request") throw new Fault("io.unreachable", "lost", { fault: "world", retry: "soon" });
      const result = answer();
      await sleep(this.#clock, delay / 2, signal);
      if (loses === "answer") throw new Fault("io.unreachable", "lost", { fault: "world", retry: "soon" });
      return result;
    };
    const leases = {
      in: () => leases,
      get: (_name: string, options?: { signal?: AbortSignal }) =>
        exchange(options?.signal, () => structuredClone(this.lease) ?? fail(statusFault("NotFound", "no lease"))),
      create: (lease: Lease, options?: { signal?: AbortSignal }) =>
        exchange(options?.signal, () =>
          this.lease === undefined ? this.#put(lease) : fail(statusFault("AlreadyExists", "is there")),
        ),
      update: (lease: Lease, options?: { signal?: AbortSignal }) =>
        exchange(options?.signal, () =>
          this.lease?.metadata.resourceVersion === lease.metadata.resourceVersion
            ? this.#put(lease)
            : fail(statusFault("Conflict", "modified")),
        ),
    };
    return { for: () => leases } as unknown as Client;
  }

  #put(lease: Lease): Lease {
    this.writes++;
    this.lease = structuredClone({ ...lease, metadata: { ...lease.metadata, resourceVersion: String(++this.#revision) } });
    return structuredClone(this.lease);
  }
}

function fail(fault: Fault): never {
  throw fault;
}

/** A clock of its own speed and time of day. */
function skewed(master: VirtualClock, rate: number, offset: number): Clock {
  return {
    now: () => master.now() + offset,
    monotonic: () => master.monotonic() * rate,
    after: (delay, fire) => master.after(delay / rate, fire),
  };
}

interface Runner {
  held(): boolean;
  readonly stop: AbortController;
  readonly result: Promise<unknown>;
  works: number;
}

function candidate(
  clock: VirtualClock,
  register: Register,
  identity: string,
  network = (): Network => ({ delay: 2 }),
  own: Clock = clock,
): Runner {
  const stop = new AbortController();
  let leadership: Leadership | undefined;
  const options = {
    client: register.client(network),
    clock: own,
    entropy: new SeededEntropy(identity.charCodeAt(0)),
    log: silent,
    namespace: "n",
    name: "l",
    identity,
  };
  const runner = { held: () => leadership?.isHeld() ?? false, stop, works: 0, result: Promise.resolve<unknown>(undefined) };
  runner.result = lead(options, stop.signal, async (given) => {
    runner.works++;
    leadership = given;
    await new Promise((resolve) => given.signal.addEventListener("abort", resolve, { once: true }));
    leadership = undefined;
  }).catch((error: unknown) => error);
  return runner;
}

test("one leads, keeps renewing, and hands over at once when it stops", async () => {
  const clock = new VirtualClock();
  const register = new Register(clock);
  const a = candidate(clock, register, "a");
  await clock.advance(100);
  const b = candidate(clock, register, "b");
  await clock.advance(60_000);
  assert.deepEqual([a.held(), b.held()], [true, false]);
  assert.ok(register.writes > 25);
  const { spec } = register.lease!;
  assert.deepEqual([spec?.holderIdentity, spec?.leaseDurationSeconds, spec?.leaseTransitions], ["a", 15, 0]);
  assert.match(spec!.renewTime!, /^2030-01-01T00:00:5\d\.\d{6}Z$/);
  a.stop.abort();
  assert.equal(await Promise.race([a.result, clock.advance(5000).then(() => "late")]), undefined);
  await clock.advance(5000);
  assert.deepEqual([a.held(), b.held(), register.lease?.spec?.leaseTransitions], [false, true, 1]);
  b.stop.abort();
  await clock.advance(10);
  assert.equal(register.lease?.spec?.holderIdentity, "");
  assert.equal(clock.pending, 0);
});

test("a holder that cannot renew gives up before another may take over", async () => {
  const clock = new VirtualClock();
  const register = new Register(clock);
  let isCut = false;
  const a = candidate(clock, register, "a", () => ({ delay: 2, loses: isCut ? "request" : undefined }));
  await clock.advance(5000);
  const b = candidate(clock, register, "b");
  isCut = true;
  let lostAt = 0;
  let takenAt = 0;
  for (let at = 0; at < 30_000; at += 100) {
    await clock.advance(100);
    if (lostAt === 0 && !a.held()) lostAt = at;
    if (takenAt === 0 && b.held()) takenAt = at;
  }
  assert.ok(lostAt > 7_000 && lostAt <= 10_000, `lost after ${lostAt}`);
  assert.ok(takenAt > lostAt, `taken after ${takenAt}`);
  assert.ok(Fault.is(await a.result, "kube.lease-lost"));
  b.stop.abort();
  await clock.advance(10);
});

test("a request that hangs does not keep a holder in office", async () => {
  const clock = new VirtualClock();
  const register = new Register(clock);
  let delay = 2;
  const a = candidate(clock, register, "a", () => ({ delay }));
  await clock.advance(5000);
  delay = 1_000_000;
  await clock.advance(10_100);
  assert.equal(a.held(), false);
  assert.ok(Fault.is(await a.result, "kube.lease-lost"));
});

test("what the work throws comes out, with the lease released", async () => {
  const clock = new VirtualClock();
  const register = new Register(clock);
  const options = {
    client: register.client(() => ({ delay: 0 })),
    clock,
    entropy: new SeededEntropy(1),
    log: silent,
    namespace: "n",
    name: "l",
    identity: "a",
  };
  const result = lead(options, new AbortController().signal, async () => fail(statusFault("Invalid", "broken")));
  const outcome = result.catch((error: unknown) => error);
  await clock.advance(10);
  assert.ok(Fault.is(await outcome, "api.invalid"));
  assert.equal(register.lease?.spec?.holderIdentity, "");
});

test("property: never two at a time, whatever the clocks show and the network loses; and somebody leads when it recovers", async () => {
  const trouble = fc.record({
    from: fc.integer({ min: 0, max: 150_000 }),
    length: fc.integer({ min: 0, max: 40_000 }),
    delay: fc.constantFrom(1, 100, 3000, 20_000),
    loses: fc.constantFrom(undefined, "request" as const, "answer" as const),
  });
  const one = fc.record({
    rate: fc.double({ min: 0.85, max: 1.15, noNaN: true }),
    offset: fc.integer({ min: -1e9, max: 1e9 }),
    troubles: fc.array(trouble, { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 2, maxLength: 3 }), async (parts) => {
      const clock = new VirtualClock();
      const register = new Register(clock);
      const runners = parts.map(({ rate, offset, troubles }, i) => {
        const now = (): number => clock.monotonic();
        const network = (): Network =>
          troubles.find(({ from, length }) => from <= now() && now() < from + length) ?? { delay: 5 };
        return candidate(clock, register, "abc"[i]!, network, skewed(clock, rate, offset));
      });
      for (let at = 0; at < 240_000; at += 500) {
        await clock.advance(500);
        const holders = runners.filter((runner) => runner.held());
        assert.ok(holders.length <= 1, `${holders.length} at ${at}`);
      }
      const results = await Promise.all(
        runners.map(async (runner) => await Promise.race([runner.result, Promise.resolve("running")])),
      );
      if (results.includes("running")) assert.equal(runners.filter((runner) => runner.held()).length, 1);
      for (const runner of runners) runner.stop.abort();
      await clock.advance(60_000);
    }),
    { numRuns: 25 },
  );
});
