/** Rollouts as sequences (facts §2.6), with sets that do what they are told, in whatever order things happen. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { boundsOf, type Fleet, type Plan, type SetCount, sumOf } from "./count.ts";
import { planOnDelete } from "./on-delete.ts";
import { planProportional } from "./proportional.ts";
import { planRollingUpdate } from "./rolling.ts";

type Numbers = readonly [spec: number, status: number, available: number];

function setOf(name: string, [spec, status, available]: Numbers, created = 0): SetCount {
  return { name, created, spec, status, available };
}
function fleetOf(replicas: number, maxSurge: number, maxUnavailable: number, current: Numbers, ...old: Numbers[]): Fleet {
  const sets = old.map((numbers, i) => setOf(`old${i}`, numbers, i));
  return { replicas, maxSurge, maxUnavailable, current: setOf("new", current, old.length), old: sets };
}
/** `new:2 old0:1`; empty: nothing changes. */
function printed(plan: Plan): string {
  return [...plan].map(([name, spec]) => `${name}:${spec}`).join(" ");
}

describe("one step of a rolling update", () => {
  const cases: [name: string, fleet: Fleet, step: string][] = [
    ["a first rollout is all new", fleetOf(3, 1, 0, [0, 0, 0]), "new:3"],
    ["nothing to do", fleetOf(3, 1, 0, [3, 3, 3]), ""],
    ["one more, before one goes", fleetOf(3, 1, 0, [0, 0, 0], [3, 3, 3]), "new:1"],
    ["while that comes up nothing goes", fleetOf(3, 1, 0, [1, 1, 0], [3, 3, 3]), ""],
    ["one goes when it is there", fleetOf(3, 1, 0, [1, 1, 1], [3, 3, 3]), "old0:2"],
    ["nothing comes while that is on its way", fleetOf(3, 1, 0, [1, 1, 1], [2, 3, 3]), ""],
    ["the next comes when it is gone", fleetOf(3, 1, 0, [1, 1, 1], [2, 2, 2]), "new:2"],
    ["without spare hardware one goes first", fleetOf(3, 0, 1, [0, 0, 0], [3, 3, 3]), "old0:2"],
    ["and its place is taken when it is gone", fleetOf(3, 0, 1, [0, 0, 0], [2, 2, 2]), "new:1"],
    ["not before", fleetOf(3, 0, 1, [0, 0, 0], [2, 3, 2]), ""],
    ["nor while what is about to go is still available", fleetOf(3, 0, 1, [0, 0, 0], [2, 3, 3]), ""],
    ["what is about to go makes up for nothing elsewhere", fleetOf(3, 0, 1, [0, 0, 0], [1, 3, 3], [2, 2, 1]), ""],
    ["both at once where both are allowed", fleetOf(4, 1, 1, [0, 0, 0], [4, 4, 4]), "new:1 old0:3"],
    ["all at once", fleetOf(3, 3, 0, [0, 0, 0], [3, 3, 3]), "new:3"],
    ["the oldest set first", fleetOf(3, 1, 0, [1, 1, 1], [2, 2, 2], [1, 1, 1]), "old0:1"],
    ["a set with broken machines before", fleetOf(3, 1, 0, [2, 2, 2], [1, 1, 1], [1, 1, 0]), "old1:0"],
    ["broken machines that stand in the way of all go one by one", fleetOf(3, 0, 1, [0, 0, 0], [3, 3, 2]), "old0:2"],
    ["not while something is on its way", fleetOf(3, 0, 1, [0, 0, 0], [2, 3, 1]), ""],
    ["fewer are wanted", fleetOf(2, 1, 0, [3, 3, 3]), "new:2"],
    ["none are wanted", fleetOf(0, 0, 0, [1, 1, 1], [2, 2, 2]), "new:0 old0:0"],
    ["more are wanted in the middle", fleetOf(6, 1, 0, [1, 1, 1], [3, 3, 3]), "new:4"],
  ];
  for (const [name, fleet, step] of cases) test(name, () => assert.equal(printed(planRollingUpdate(fleet)), step));
});

describe("how many may be too many, and missing", () => {
  for (const [replicas, rollingUpdate, expected] of [
    [10, {}, [1, 0]],
    [10, { maxSurge: "25%", maxUnavailable: "25%" }, [3, 2]],
    [3, { maxSurge: "0%", maxUnavailable: "10%" }, [0, 1]],
    [0, { maxSurge: "30%", maxUnavailable: 0 }, [0, 1]],
    [2, { maxSurge: 0, maxUnavailable: 5 }, [0, 2]],
  ] as const)
    test(`${replicas} with ${JSON.stringify(rollingUpdate)}`, () => {
      const { maxSurge, maxUnavailable } = boundsOf({
        spec: { replicas, rollout: { strategy: { type: "RollingUpdate", rollingUpdate } } },
      } as never);
      assert.deepEqual([maxSurge, maxUnavailable], expected);
    });
});

describe("OnDelete", () => {
  const cases: [name: string, fleet: Fleet, live: number[], step: string][] = [
    ["nobody has deleted anything", fleetOf(3, 0, 0, [0, 0, 0], [3, 3, 3]), [3], ""],
    ["what is deleted is not made again", fleetOf(3, 0, 0, [0, 0, 0], [3, 3, 2]), [2], "old0:2"],
    ["its place is taken when it is gone", fleetOf(3, 0, 0, [0, 0, 0], [2, 2, 2]), [2], "new:1"],
    ["fewer are wanted: the old go", fleetOf(2, 0, 0, [1, 1, 1], [2, 2, 2]), [2], "old0:1"],
    ["more are wanted: they are new", fleetOf(5, 0, 0, [1, 1, 1], [2, 2, 2]), [2], "new:3"],
  ];
  for (const [name, fleet, live, step] of cases)
    test(name, () => assert.equal(printed(planOnDelete(fleet, new Map(live.map((count, i) => [`old${i}`, count])))), step));
});

describe("paused", () => {
  const cases: [name: string, fleet: Fleet, most: number, step: string][] = [
    ["one set has it all", fleetOf(5, 1, 0, [3, 3, 3]), 4, "new:5"],
    ["the old one, when that is the one there is", fleetOf(5, 1, 0, [0, 0, 0], [3, 3, 3]), 4, "old0:5"],
    ["growth is shared by size, and the first takes the rest", fleetOf(9, 1, 0, [1, 1, 1], [4, 4, 4]), 5, "old0:8 new:2"],
    ["so is shrinking", fleetOf(4, 0, 1, [2, 2, 2], [8, 8, 8]), 10, "old0:3 new:1"],
    ["to nothing", fleetOf(0, 0, 1, [1, 1, 1], [4, 4, 4]), 5, "old0:0 new:0"],
    ["the old go when all of the new are there", fleetOf(3, 1, 0, [3, 3, 3], [1, 1, 1]), 4, "old0:0"],
  ];
  for (const [name, fleet, most, step] of cases)
    test(name, () => assert.equal(printed(planProportional(fleet, () => most)), step));
});

/** A set that is there: its machines, by whether they are available; and its status, which lags behind. */
class Simulated {
  readonly name: string;
  spec: number;
  up: number;
  /** There, but not available. */
  down = 0;
  leaving = 0;
  status: { status: number; available: number };

  constructor(name: string, count: number) {
    [this.name, this.spec, this.up] = [name, count, count];
    this.status = { status: count, available: count };
  }
  count(created: number): SetCount {
    return { name: this.name, created, spec: this.spec, ...this.status };
  }
  /** Makes or deletes machines; of those it deletes as many as it can are available, or as few. */
  reconcile(fromUp: boolean): void {
    const total = this.up + this.down;
    this.down += Math.max(this.spec - total - this.leaving, 0);
    for (let i = total; i > this.spec; i--) {
      if (this.up > 0 && (fromUp || this.down === 0)) this.up--;
      else this.down--;
      this.leaving++;
    }
  }
  report(): void {
    this.status = { status: this.up + this.down + this.leaving, available: this.up };
  }
}

const STEPS = ["plan", "reconcile", "worst", "come", "leave", "report"] as const;

test("in any order of events there are never more machines than allowed, never fewer available, and it ends", () => {
  const world = fc.record({
    replicas: fc.integer({ min: 0, max: 6 }),
    maxSurge: fc.integer({ min: 0, max: 3 }),
    maxUnavailable: fc.integer({ min: 0, max: 3 }),
    olds: fc.integer({ min: 1, max: 3 }),
    steps: fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(3)), { maxLength: 120 }),
  });
  const run = fc.property(world, ({ replicas, maxSurge, olds, steps, ...rest }) => {
    const maxUnavailable = maxSurge + rest.maxUnavailable === 0 ? 1 : Math.min(rest.maxUnavailable, replicas);
    const sets = Array.from({ length: olds }, (_, i) => new Simulated(`old${i}`, Math.floor((replicas + i) / olds)));
    const current = new Simulated("new", 0);
    const all = [...sets, current];
    const take = (step: (typeof STEPS)[number], at: number): void => {
      const set = all[at % all.length]!;
      if (step === "plan") {
        const old = sets.map((each, i) => each.count(i));
        const plan = planRollingUpdate({ replicas, maxSurge, maxUnavailable, current: current.count(9), old });
        for (const each of all) each.spec = plan.get(each.name) ?? each.spec;
      } else if (step === "reconcile" || step === "worst") {
        set.reconcile(step === "worst");
      } else if (step === "come") {
        if (set.down > 0) [set.down, set.up] = [set.down - 1, set.up + 1];
      } else if (step === "leave") {
        set.leaving = Math.max(set.leaving - 1, 0);
      } else set.report();
      const [there, available] = [
        all.reduce((n, { up, down, leaving }) => n + up + down + leaving, 0),
        all.reduce((n, { up }) => n + up, 0),
      ];
      assert.ok(there <= replicas + maxSurge, `${there} machines`);
      assert.ok(available >= replicas - maxUnavailable, `${available} available`);
    };
    for (const [step, at] of steps) take(step, at);
    for (let i = 0; i < 80; i++) for (const step of STEPS) for (const at of all.keys()) take(step, at);
    assert.deepEqual(
      [
        current.up,
        current.spec,
        sumOf(
          sets.map((set) => set.count(0)),
          ({ spec, status }) => spec + status,
        ),
      ],
      [replicas, replicas, 0],
    );
  });
  fc.assert(run, { numRuns: 300 });
});

test("machines that break are replaced too, and never keep a rollout from ending", () => {
  const broken = fc.record({
    replicas: fc.integer({ min: 1, max: 6 }),
    maxSurge: fc.nat(2),
    maxUnavailable: fc.nat(2),
    count: fc.nat(6),
  });
  const run = fc.property(broken, ({ replicas, maxSurge, count, ...rest }) => {
    const maxUnavailable = maxSurge + rest.maxUnavailable === 0 ? 1 : Math.min(rest.maxUnavailable, replicas);
    const [old, current] = [new Simulated("old0", replicas), new Simulated("new", 0)];
    const sick = Math.min(count, replicas);
    [old.up, old.down] = [replicas - sick, sick];
    for (let i = 0; i < 100; i++) {
      old.report();
      current.report();
      const plan = planRollingUpdate({ replicas, maxSurge, maxUnavailable, current: current.count(1), old: [old.count(0)] });
      for (const set of [old, current]) {
        set.spec = plan.get(set.name) ?? set.spec;
        // Sets take their unhealthy machines first.
        set.reconcile(false);
        set.leaving = 0;
      }
      [current.up, current.down] = [current.up + current.down, 0];
    }
    assert.deepEqual([current.up, old.up + old.down], [replicas, 0]);
  });
  fc.assert(run, { numRuns: 200 });
});
