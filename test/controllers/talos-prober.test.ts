/** Whoever asks machines how they are: never too many at a time, never too long, and told once of what is new. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prober } from "#controllers/talos-control-plane/prober.ts";
import { readFacts } from "#controllers/talos-control-plane/reading.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosDial } from "#talos/api.ts";

const KEYS = { ca: "ca", crt: "crt", key: "key" };

const seat = (n: number, addresses = [`10.0.0.${n}`]) => ({ machine: `m${n}`, uid: `u${n}`, addresses });
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

interface Rig {
  readonly clock: VirtualClock;
  readonly prober: Prober;
  /** Addresses that were asked, in order. */
  readonly asked: string[];
  readonly told: string[];
  /** By address; absent: it answers that all is well. */
  readonly answers: Map<string, () => Promise<{ tag: string; arch: string; platform: string }>>;
  open: number;
  most: number;
  pass(milliseconds: number): Promise<void>;
}

function start(): Rig {
  const clock = new VirtualClock();
  const rig = { clock, asked: [] as string[], told: [] as string[], answers: new Map(), open: 0, most: 0 } as unknown as Rig;
  const dial: TalosDial = ({ endpoints }) => {
    const address = endpoints[0]!;
    const closed = Promise.withResolvers<never>();
    closed.promise.catch(() => {});
    let isAsked = false;
    const begin = (): void => {
      isAsked = true;
      rig.most = Math.max(rig.most, ++rig.open);
    };
    const end = (): void => {
      if (isAsked) rig.open--;
      isAsked = false;
    };
    const api: Partial<TalosApi> = {
      version: async () => {
        rig.asked.push(address);
        begin();
        const answer = rig.answers.get(address)?.() ?? Promise.resolve({ tag: "v1.13.2", arch: "amd64", platform: "metal" });
        return await Promise.race([answer, closed.promise]).finally(end);
      },
      services: async () => [{ id: "etcd", state: "Running", isHealthy: true, message: "" }],
      etcdStatus: async () => ({ memberId: "1", leader: "1", isLearner: false, raftIndex: 1n, raftAppliedIndex: 1n, errors: [] }),
      etcdMembers: async () => [
        { id: "1", hostname: "m", peerUrls: ["https://[fd00::1]:2380"], clientUrls: ["https://10.0.0.1:2379"], isLearner: false },
      ],
      // As it is with HTTP/2: what is under way ends with the session.
      close: () => {
        end();
        closed.reject(new Error("closed"));
      },
    };
    return api as TalosApi;
  };
  const prober = new Prober({ dial, clock, entropy: new SeededEntropy(3) });
  prober.listen((plane) => rig.told.push(plane));
  return Object.assign(rig, {
    prober,
    async pass(milliseconds: number) {
      await turns();
      for (let passed = 0; passed < milliseconds; passed += 500) {
        await clock.advance(500);
        await turns();
      }
    },
  });
}

const never = (): Promise<never> => new Promise(() => {});
const refuse = (): Promise<never> => Promise.reject(new Fault("talos.unreachable", "nobody", { fault: "peer", retry: "soon" }));

test("what a machine says is kept, and told once; one that is well is asked twice a minute", async () => {
  const { prober, told, asked, pass } = start();
  prober.follow("n/cp", [seat(1)], KEYS);
  await pass(1000);
  const { etcd, version, hasEtcdData } = prober.facts("u1");
  assert.deepEqual([version, hasEtcdData, etcd?.members[0]?.addresses], ["v1.13.2", true, ["10.0.0.1", "fd00::1"]]);
  await pass(10 * 60_000);
  assert.deepEqual(told, ["n/cp"]);
  assert.ok(asked.length >= 18 && asked.length <= 23, `${asked.length} looks in 10 minutes`);
});

test("many machines, few at a time; those that say nothing hold up nobody for long", async () => {
  const rig = start();
  const seats = Array.from({ length: 60 }, (_, i) => seat(i + 1));
  for (let i = 1; i <= 20; i++) rig.answers.set(`10.0.0.${i}`, never);
  rig.prober.follow("n/cp", seats, KEYS);
  await rig.pass(60_000);
  assert.ok(seats.slice(20).every(({ uid }) => rig.prober.facts(uid).version !== undefined));
  assert.match(rig.prober.facts("u1").problem ?? "", /no answer within 25 s/);
  assert.equal(rig.most, 16);
});

test("the address that answers is asked first; one that stops is told, with what it last said", async () => {
  const { prober, answers, asked, told, pass } = start();
  answers.set("192.168.0.1", refuse);
  prober.follow("n/cp", [seat(1, ["192.168.0.1", "10.0.0.1"])], KEYS);
  await pass(1000);
  await pass(40_000);
  assert.deepEqual(asked, ["192.168.0.1", "10.0.0.1", "10.0.0.1"]);
  answers.set("10.0.0.1", refuse);
  await pass(40_000);
  const facts = prober.facts("u1");
  assert.equal(facts.problem, "nobody");
  assert.equal(facts.version, "v1.13.2");
  assert.deepEqual(told, ["n/cp", "n/cp"]);
});

test("asked at once when poked or given another certificate; never without one, nor when forgotten", async () => {
  const { prober, asked, pass, clock } = start();
  prober.follow("n/cp", [seat(1), seat(2, [])], undefined);
  await pass(5000);
  assert.deepEqual(asked, []);
  prober.follow("n/cp", [seat(1)], KEYS);
  await pass(500);
  prober.poke("n/cp");
  await pass(500);
  prober.follow("n/cp", [seat(1)], KEYS);
  await pass(500);
  assert.equal(asked.length, 2);
  prober.follow("n/cp", [seat(1)], { ...KEYS, crt: "another" });
  await pass(500);
  assert.equal(asked.length, 3);
  prober.follow("n/other", [], KEYS);
  prober.follow("n/cp", [], KEYS);
  await pass(120_000);
  assert.equal(asked.length, 3);
  assert.deepEqual(prober.facts("u1"), {});
  assert.equal(clock.pending, 0);
});

test("what a machine says is cut to what a status holds", async () => {
  const long = "x".repeat(1_000_000);
  const many = <T>(value: T): T[] => Array.from({ length: 5000 }, () => value);
  const api = {
    version: async () => ({ tag: long, arch: "", platform: "" }),
    services: async () => [
      { id: "etcd", state: "Running", isHealthy: false, message: long },
      ...many({ id: long, state: long, isHealthy: false, message: long }),
    ],
    etcdStatus: async () => ({
      memberId: "1",
      leader: "1",
      isLearner: false,
      raftIndex: 1n,
      raftAppliedIndex: 1n,
      errors: many(long),
    }),
    etcdMembers: async () =>
      many({
        id: "1",
        hostname: long,
        peerUrls: [`https://${"a".repeat(300)}:1`, "", "::", long],
        clientUrls: [],
        isLearner: false,
      }),
  } as unknown as TalosApi;
  const facts = await readFacts(api);
  assert.ok(JSON.stringify(facts).length < 200_000);
  assert.equal(facts.services?.length, 64);
  assert.equal(facts.etcd?.members.length, 64);
});
