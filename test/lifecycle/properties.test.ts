/**
 * What holds whatever happens. Machines are led through lives made of anything that people, agents, BMCs and crashes can do to them, in any order; and single
 * decisions are taken about records that no life would lead to.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decideLifecycle } from "#decide/lifecycle/lifecycle.ts";
import type { LifecycleDecision } from "#decide/lifecycle/lifecycle.ts";
import type { Machine } from "#decide/lifecycle/machine.ts";
import { stamp } from "#decide/lifecycle/time.ts";
import { SERVER_PHASES } from "#kinds/metal/v1alpha2/server.ts";
import { BINDING, Model, REBOOT_TIMEOUT, START, WANTED } from "./model.ts";

/** Effects that reach the machine. */
const TOUCHES = new Set(["operate", "order", "wake"]);

function touches({ effects }: LifecycleDecision): boolean {
  return effects.some((effect) => TOUCHES.has(effect.do));
}

function isUserRequest(machine: Machine): boolean {
  return machine.wanted.request !== undefined;
}

/** Whether something on record, or asked for, allows what is about to be written to `status.wipe`. */
function isEvidenced(machine: Machine): boolean {
  const { record, wanted } = machine;
  const verb = wanted.request?.split(" ")[0];
  const isAsked = record.request?.value !== wanted.request;
  return (
    record.phase === "Discovered" ||
    (record.allocation !== undefined && machine.seen.binding === undefined) ||
    (isAsked && verb === "wipe") ||
    (isAsked && verb === "retry" && record.wipe?.state === "failed")
  );
}

/** Everything that must hold of one decision. */
function check(machine: Machine, decision: LifecycleDecision, now: number): void {
  const { wanted, record, seen } = machine;
  const story = JSON.stringify({ machine, decision });
  const wipes = [decision.intent?.wipe, "wipe" in decision.status ? decision.status.wipe : undefined].filter(
    (each) => each !== undefined,
  );
  for (const wipe of wipes) {
    const isNew = wipe.id !== record.wipe?.id;
    if (isNew) assert.ok(isEvidenced(machine), `an order without evidence: ${story}`);
    if (isNew)
      assert.ok(
        wanted.accepted && !wanted.adopt && wanted.paused === undefined && !wanted.deleting,
        `an order that may not be: ${story}`,
      );
    const wasOpen = record.wipe !== undefined && !["done", "withdrawn"].includes(record.wipe.state);
    const isOpen = !["done", "withdrawn"].includes(wipe.state);
    if (!isNew && isOpen) assert.ok(wasOpen, `an order that is over begins again: ${story}`);
    assert.notEqual(isNew ? wipe.state : undefined, "started", "only an agent begins");
    if (!isNew) assert.ok(wipe.state !== "done" || record.wipe?.state === "done", `only an agent ends: ${story}`);
  }
  const isWipeOrder = decision.effects.some((effect) => effect.do === "order" && effect.kind === "wipe");
  const isBootAgent = decision.effects.some((effect) => effect.do === "operate" && effect.operation.id.startsWith("boot-agent/"));
  if (isWipeOrder || isBootAgent) {
    assert.ok(
      wanted.accepted && !wanted.adopt && wanted.paused === undefined && !wanted.deleting,
      `a wipe that may not be: ${story}`,
    );
    assert.equal(seen.binding, undefined, `a wipe of a machine that is held: ${story}`);
    assert.ok(
      record.wipe !== undefined && record.wipe.state !== "done" && record.wipe.state !== "withdrawn",
      `a wipe without an order: ${story}`,
    );
  }
  if (isBootAgent) assert.equal(decision.effects[0]?.do, "confirm-free", `started without a live look: ${story}`);
  const order = decision.status.wipe;
  const isRetry = isUserRequest(machine) && wanted.request?.startsWith("retry") === true;
  if (order !== undefined && order.id !== record.wipe?.id && !isRetry)
    assert.equal(decision.effects[0]?.do, "confirm-free", story);
  if (!wanted.accepted || wanted.paused !== undefined || wanted.deleting) assert.ok(!touches(decision), `touched: ${story}`);
  if (wanted.adopt && !isUserRequest(machine)) {
    assert.ok(
      !decision.effects.some((effect) => effect.do === "operate" || effect.do === "wake"),
      `an adopted machine is switched: ${story}`,
    );
  }
  if (record.allocation !== undefined && wanted.accepted && !wanted.adopt && !wanted.deleting && seen.binding === undefined) {
    const isKept = decision.status.allocation !== undefined;
    assert.ok(isKept || order?.by === "release" || order?.id !== record.wipe?.id, `the evidence of a release is lost: ${story}`);
  }
  const { phase, waiting, isClean } = decision.status;
  if ("phase" in decision.status) {
    assert.ok(
      SERVER_PHASES.some((each) => each === phase),
      story,
    );
    if (isClean === true) assert.ok(wanted.accepted && !wanted.adopt && seen.binding === undefined, story);
    const isTerminal = phase === "Available" || phase === "Running" || phase === "Adopted" || decision.finalized === true;
    const isBetween = isUserRequest(machine) && decision.status.request?.value !== record.request?.value;
    if (!isTerminal && !isBetween)
      assert.ok(waiting !== undefined && waiting.reason !== "" && waiting.waitingFor !== "", `no reason: ${story}`);
    if (decision.again !== undefined) assert.ok(decision.again > 0 && waiting?.deadline !== undefined, story);
    if (waiting?.deadline !== undefined && Date.parse(waiting.deadline) > now + 1000)
      assert.ok(decision.again !== undefined, story);
  }
  if (decision.finalized === true) assert.ok(wanted.deleting && seen.binding === undefined, story);
}

/** Anything that can happen. */
const EVENTS: Readonly<{ [name: string]: (model: Model, dice: number) => void }> = {
  accept: (model) => (model.wanted = { ...model.wanted, accepted: true }),
  unaccept: (model) => (model.wanted = { ...model.wanted, accepted: false }),
  adopt: (model) => (model.wanted = { ...model.wanted, adopt: !model.wanted.adopt }),
  pause: (model) => (model.wanted = { ...model.wanted, paused: "somebody" }),
  resume: (model) => {
    const { paused: _, ...rest } = model.wanted;
    model.wanted = rest;
  },
  bind: (model, dice) => (model.binding = { ...BINDING, uid: `b${dice % 3}`, metalMachine: `m${dice % 2}` }),
  unbind: (model) => (model.binding = undefined),
  install: (model) => model.binding && (model.binding = { ...model.binding, isInstalled: true }),
  ask: (model) => (model.askedAt = model.now),
  connect: (model) => model.connect(),
  disconnect: (model) => model.disconnect(),
  begin: (model) => beginIfAllowed(model),
  heard: (model) => model.record.wipe?.state === "started" && model.heard(),
  wiped: (model) => model.record.wipe?.state === "started" && model.endWipe("done"),
  spoilt: (model) => model.record.wipe?.state === "started" && model.endWipe("failed"),
  switch: (model) => (model.power = model.power === "on" ? "off" : "on"),
  dead: (model) => {
    model.bmcWorks = false;
    model.power = "unknown";
    model.breaker = { state: "open", failures: 5, error: "no answer", since: model.now, retryAt: model.now + 60_000 };
  },
  alive: (model) => {
    model.bmcWorks = true;
    model.power = "off";
    model.breaker = { state: "closed", failures: 0 };
  },
  slow: (model) => (model.isSlow = !model.isSlow),
  settle: (model) => model.settle(),
  restart: (model) => {
    model.operation = undefined;
    model.orders.clear();
    model.agentsSince = model.now;
  },
  second: (model) => model.pass(1000),
  minute: (model) => model.pass(60_000),
  hour: (model) => model.pass(3_600_000),
  request: (model, dice) => {
    const verbs = ["wipe", "reboot", "power-on", "power-off", "power-cycle", "identify", "retry", "rotate-bmc-password", "dance"];
    model.wanted = { ...model.wanted, request: `${verbs[dice % verbs.length]} ${model.now}-${dice}` };
  },
  delete: (model, dice) => dice % 8 === 0 && (model.wanted = { ...model.wanted, deleting: true }),
};

/** As `BeginWipe` looks at what is true. */
function beginIfAllowed(model: Model): void {
  const { wipe } = model.record;
  const isOpen = wipe !== undefined && ["ordered", "started", "failed"].includes(wipe.state);
  if (isOpen && model.isFree() && !model.wanted.deleting) model.beginWipe();
}

interface Happening {
  readonly event: string;
  readonly dice: number;
  /** At which step of the turn that follows the process dies; far beyond the last one: not. */
  readonly death: number;
}

const lives = fc.record({
  way: fc.constantFrom("bmc" as const, "bmc" as const, "none" as const, "unusable" as const),
  wakeOnLan: fc.boolean(),
  autoBmcSetup: fc.boolean(),
  happenings: fc.array(
    fc.record<Happening>({
      event: fc.constantFrom(...Object.keys(EVENTS)),
      dice: fc.nat(1000),
      death: fc.oneof(fc.constant(99), fc.nat(6)),
    }),
    { maxLength: 60, size: "max" },
  ),
});

function lead(life: typeof lives extends fc.Arbitrary<infer T> ? T : never): Model {
  const model = new Model();
  model.wanted = { ...WANTED, accepted: false, wakeOnLan: life.wakeOnLan, lacksBmc: life.way !== "bmc" };
  model.autoBmcSetup = life.autoBmcSetup;
  model.way = life.way;
  if (life.way !== "bmc") model.power = "unknown";
  const turn = (death: number): void => {
    const machine = model.machine();
    check(
      machine,
      model.turn((step) => step === death),
      model.now,
    );
  };
  turn(99);
  // Whether anything may have been put on its disks since they were wiped last.
  let isUsed = true;
  for (const { event, dice, death } of life.happenings) {
    const { way } = life;
    if (way !== "bmc" && (event === "switch" || event === "alive" || event === "dead")) continue;
    const wasStarted = model.record.wipe?.state === "started";
    EVENTS[event]!(model, dice);
    const isOurs = model.wanted.accepted && !model.wanted.adopt && model.binding === undefined;
    if (!isOurs) isUsed = true;
    else if (event === "wiped" && wasStarted) isUsed = false;
    if (model.finalized) break;
    turn(death);
    if (death !== 99) turn(99);
    if (model.record.isClean === true) assert.ok(!isUsed, `clean, and was used: ${JSON.stringify(model.record)}`);
  }
  return model;
}

test("lives: no wipe without evidence, nothing to machines that are not to be touched, a reason for every wait", () => {
  fc.assert(
    fc.property(lives, (life) => void lead(life)),
    { numRuns: Number(process.env["LIVES"] ?? 3000) },
  );
});

test("after any life, decisions come to rest while nothing changes", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const model = lead(life);
      if (model.finalized) return;
      const writes: string[] = [];
      for (let turns = 0; turns < 12; turns++) {
        const before = JSON.stringify(model.record);
        const decision = model.turn();
        // An agent that is not there cannot be told; that is no rest, and no harm.
        writes.push(JSON.stringify(model.record) === before && !touches(decision) ? "" : JSON.stringify(decision));
      }
      assert.deepEqual(writes.slice(-3), ["", "", ""]);
      const { wanted, record, binding } = model;
      const isHeld = binding !== undefined && wanted.accepted && wanted.paused === undefined && !wanted.deleting;
      if (isHeld)
        assert.ok(record.wipe?.state !== "ordered" && record.wipe?.state !== "failed", "an order against whoever holds it");
      if (!wanted.accepted && !wanted.deleting)
        assert.ok(record.wipe === undefined || ["done", "withdrawn"].includes(record.wipe.state));
    }),
    { numRuns: Number(process.env["LIVES"] ?? 1500) },
  );
});

test("an older look at a machine leads to no order that a newer one would not have given", () => {
  fc.assert(
    fc.property(lives, fc.nat(8), (life, age) => {
      const looks: Machine[] = [];
      const model = new Model();
      model.wanted = { ...WANTED, accepted: false };
      for (const { event, dice } of life.happenings) {
        EVENTS[event]!(model, dice);
        if (model.finalized) return;
        looks.push(model.machine());
        model.turn();
      }
      const old = looks.at(-1 - age);
      if (old === undefined) return;
      const decision = decideLifecycle(old, model.now);
      check(old, decision, model.now);
      // What is written from it carries the version that it was read at, and is refused: its effects are what counts. An order goes on record after a live look.
      const { wipe } = decision.status;
      if (wipe !== undefined && wipe.id !== old.record.wipe?.id && !model.isFree()) {
        const isConfirmed = decision.effects[0]?.do === "confirm-free" || old.record.wipe?.state === "failed";
        assert.ok(isConfirmed, JSON.stringify({ old, decision }));
      }
    }),
    { numRuns: 1500 },
  );
});

/** Records that somebody has edited, or another version has left. */
const records = fc.record(
  {
    phase: fc.constantFrom(...SERVER_PHASES),
    isClean: fc.boolean(),
    inUse: fc.boolean(),
    ready: fc.boolean(),
    power: fc.constantFrom("on", "off", "unknown"),
    wipe: fc.record(
      {
        id: fc.constant("w1"),
        reason: fc.constant("r"),
        by: fc.constantFrom("acceptance", "release", "request"),
        orderedAt: fc.constant(stamp(START)),
        state: fc.constantFrom("ordered", "started", "done", "failed", "withdrawn"),
        attempts: fc.nat(7),
        attemptedAt: fc.constantFrom(stamp(START), "nonsense"),
        boot: fc.constantFrom("boot1", "boot2"),
        heardAt: fc.constant(stamp(START)),
        finishedAt: fc.constant(stamp(START)),
      },
      { requiredKeys: ["id", "reason", "by", "orderedAt", "state"] },
    ),
    action: fc.record(
      {
        id: fc.constantFrom(
          "x",
          "",
          "boot-agent/w1.1/1/kuyd4g00/cycle",
          "power-off/rest.w1/1/kuyd4g00/off",
          "boot-environment/b1/3/kuyd4g00/agent:boot1",
        ),
        do: fc.constantFrom("boot-agent", "power-off", "boot-environment", "dance"),
        state: fc.constantFrom("running", "done", "failed"),
        attempts: fc.nat(12),
        startedAt: fc.constant(stamp(START)),
        triedAt: fc.constantFrom(stamp(START), "nonsense"),
        retryAt: fc.constantFrom(stamp(START + 60_000), "nonsense"),
        error: fc.constant("e"),
      },
      { requiredKeys: ["id", "do", "state", "startedAt"] },
    ),
    allocation: fc.record({ binding: fc.constantFrom("b1", "b2"), since: fc.constant(stamp(START)) }),
    conditions: fc.constantFrom(
      [],
      ...["True", "False", "Unknown"].flatMap((status) =>
        ["PowerCycle", "PXEBooted"].map((type) => [{ type, status, lastTransitionTime: stamp(START) }]),
      ),
    ),
    waiting: fc.record({
      reason: fc.constantFrom("Installing", "SwitchedOn", "AgentBooting"),
      waitingFor: fc.constant("x"),
      since: fc.constantFrom(stamp(START), "nonsense"),
    }),
    request: fc.record({
      value: fc.constantFrom("wipe 1", "power-off 1"),
      outcome: fc.constant("done"),
      at: fc.constant(stamp(START)),
    }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Machine["record"]>;

const looks = fc.record({
  record: records,
  wanted: fc.record({
    accepted: fc.boolean(),
    adopt: fc.boolean(),
    deleting: fc.boolean(),
    wakeOnLan: fc.boolean(),
    isPaused: fc.boolean(),
    lacksBmc: fc.boolean(),
    request: fc.constantFrom(undefined, "wipe 1", "power-off 1", "retry 2", "reboot 3", "", "\u0000"),
  }),
  isBound: fc.boolean(),
  isConnected: fc.boolean(),
  power: fc.constantFrom("on" as const, "off" as const, "unknown" as const),
  way: fc.constantFrom("bmc" as const, "none" as const, "unusable" as const),
  later: fc.constantFrom(0, 60_000, REBOOT_TIMEOUT, 86_400_000),
});

test("any record whatever: the same holds, and nothing throws", () => {
  fc.assert(
    fc.property(looks, ({ record, wanted, isBound, isConnected, power, way, later }) => {
      const model = new Model();
      const { isPaused, request, ...rest } = wanted;
      model.wanted = { ...WANTED, ...rest, ...(isPaused && { paused: "somebody" }), ...(request !== undefined && { request }) };
      model.record = record;
      model.power = power;
      model.way = way;
      if (isBound) model.binding = BINDING;
      if (isConnected) model.agent = { boot: "boot1", since: START };
      model.pass(later);
      const machine = model.machine();
      check(machine, model.decide(), model.now);
      // What upstream, or a move, has left without a phase is never wiped.
      if (record.phase === undefined && record.wipe === undefined && record.allocation === undefined) {
        model.rest(20);
        assert.equal(model.record.wipe, undefined);
      }
    }),
    { numRuns: Number(process.env["LIVES"] ?? 5000) },
  );
});
