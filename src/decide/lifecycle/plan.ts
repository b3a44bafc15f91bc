/**
 * What would be done, without doing it: the machine is led through the decisions that would be taken, on the supposition that everything goes well.
 * For `sidero plan` and the console.
 */
import type { LifecycleEffect, Machine, Record, Wait } from "./machine.ts";
import { decideLifecycle } from "./lifecycle.ts";
import type { LifecycleDecision } from "./lifecycle.ts";
import { isInstalled } from "./installed.ts";
import { stamp } from "./time.ts";

export const PLANNED = ["accept", "release", "wipe", "reboot"] as const;
/** What is supposed to happen. */
export type Planned = (typeof PLANNED)[number];

/** Where a machine that starts is sent: what its boot script says (`decide/boot`), asked for with the Server as it is then. */
export type Into = "agent" | "environment" | "disk";

export interface PlanStep {
  /** What happens, as a sentence for people without a full stop. */
  readonly text: string;
  /** What we do, in data; absent: others do it. */
  readonly effect?: LifecycleEffect;
  /** The machine starts, and gets this by its boot script. */
  readonly boots?: Into;
  /** Its disks are wiped: those that `decide/wipe/disks.ts` chooses. */
  readonly wipes?: true;
}

export interface Plan {
  /** Why nothing of it would be done. */
  readonly refused?: string;
  readonly steps: readonly PlanStep[];
  /** Where it is then, and what it waits for, if it does. */
  readonly phase: Record["phase"];
  readonly waiting?: Wait | Record["waiting"];
}

/** Decisions that are followed; a machine that needs more goes in a circle. */
const MOST = 60;

export function planOf(machine: Machine, what: Planned, now: number): Plan {
  const supposed = suppose(machine, what, now);
  if (typeof supposed === "string") return { refused: supposed, steps: [], phase: machine.record.phase };
  const run = new Rehearsal(supposed, now);
  for (let turn = 0; turn < MOST && run.turn(); turn++);
  const { machine: after, steps } = run;
  const outcome = after.record.request?.outcome;
  const refused =
    what !== "accept" && what !== "release" && outcome?.startsWith("refused") === true ? outcome.slice(9) : undefined;
  return {
    ...(refused !== undefined && { refused }),
    steps,
    phase: after.record.phase,
    ...(after.record.waiting && { waiting: after.record.waiting }),
  };
}

/** The machine as it would be if that happened; a text: it cannot happen. */
function suppose(machine: Machine, what: Planned, now: number): Machine | string {
  const { wanted, seen } = machine;
  switch (what) {
    case "accept":
      return wanted.accepted ? "it is accepted" : { ...machine, wanted: { ...wanted, accepted: true } };
    case "release": {
      const { binding: _, ...rest } = seen;
      return seen.binding === undefined ? "it is not allocated" : { ...settled(machine, now), seen: rest };
    }
    case "wipe":
    case "reboot":
      return { ...machine, wanted: { ...wanted, request: `${what} plan-${now}` } };
  }
}

/** What is the case is on record. */
function settled(machine: Machine, now: number): Machine {
  return { ...machine, record: applied(machine.record, decideLifecycle(machine, now).status) };
}

function applied(record: Record, changes: LifecycleDecision["status"] | undefined): Record {
  const entries = Object.entries({ ...record, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record;
}

class Rehearsal {
  machine: Machine;
  readonly steps: PlanStep[] = [];
  #now: number;
  #boots = 0;

  constructor(machine: Machine, now: number) {
    this.machine = machine;
    this.#now = now;
  }

  /** One decision, and what comes of it; false when nothing more happens. */
  turn(): boolean {
    const before = JSON.stringify(this.machine);
    const decision = decideLifecycle(this.machine, this.#now);
    this.#set({ record: applied(this.machine.record, decision.intent) });
    for (const effect of decision.effects) this.#perform(effect);
    this.#set({ record: applied(this.machine.record, decision.status) });
    return JSON.stringify(this.machine) !== before || this.#goesOn();
  }

  #set(change: Partial<Machine>): void {
    this.machine = { ...this.machine, ...change };
  }

  #see(change: Partial<Machine["seen"]>): void {
    this.#set({ seen: { ...this.machine.seen, ...change } });
  }

  #say(step: PlanStep): void {
    this.steps.push(step);
  }

  #perform(effect: LifecycleEffect): void {
    switch (effect.do) {
      case "confirm-free":
        return this.#say({
          text: "Server and ServerBinding are looked at once more: it is accepted, and nobody holds it",
          effect,
        });
      case "operate":
        return this.#operate(effect);
      case "order":
        return this.#order(effect);
      case "wake":
        this.#say({ text: "a Wake-on-LAN packet is sent to its interfaces", effect });
        return this.#start();
      case "withdraw":
        return this.#say({ text: "what its BMC was told is taken back", effect });
      case "disown":
        this.#set({ wanted: { ...this.machine.wanted, isOwned: false } });
        return this.#say({ text: "its owner references are dropped", effect });
      case "tell":
        return;
    }
  }

  #operate(effect: Extract<LifecycleEffect, { do: "operate" }>): void {
    const { id, steps } = effect.operation;
    const told = steps.map((step) => {
      if (step.do === "boot-once") return `boot once from ${step.boot.device} (${step.boot.firmware})`;
      return step.do === "power" ? `power ${step.action}` : "light its locator";
    });
    this.#say({ text: `its BMC is told: ${told.join(", then ")}`, effect });
    this.#see({ power: { ...this.machine.seen.power, operation: { id, state: "done", at: this.#now } } });
    for (const step of steps) {
      if (step.do !== "power") continue;
      if (step.action !== "on") this.#stop();
      if (step.action === "off" || step.action === "soft-off") this.#power("off");
      else this.#start();
    }
  }

  #order(effect: Extract<LifecycleEffect, { do: "order" }>): void {
    const { kind, id } = effect;
    if (this.machine.seen.orders.some((order) => order.id === id && order.state !== "failed")) return;
    this.#say({ text: `its agent is told: ${ORDERS[kind]}`, effect });
    const order = { id, kind, state: "done", text: "" } as const;
    this.#see({ orders: [...this.machine.seen.orders.filter((each) => each.id !== id), order] });
    if (kind === "wipe") return this.#wipe();
    if (kind === "reboot" || kind === "powerOff") this.#stop();
    if (kind === "reboot") this.#start();
  }

  #wipe(): void {
    const { wipe } = this.machine.record;
    if (wipe === undefined) return;
    this.#say({ text: "its agent asks whether the order holds, and wipes its disks", wipes: true });
    const at = stamp(this.#now);
    // The status that is written after this decision has the order as it was told; the agent's end comes later.
    this.#ends = { ...wipe, state: "done", startedAt: at, heardAt: at, finishedAt: at };
  }

  #ends: Record["wipe"];

  #power(power: "on" | "off"): void {
    const { seen } = this.machine;
    if (seen.power.way === "bmc") this.#see({ power: { ...seen.power, power, readAt: this.#now } });
  }

  #stop(): void {
    const { agent: _, ...rest } = this.machine.seen;
    this.#set({ seen: rest });
  }

  #start(): void {
    this.#power("on");
    const into = this.#into();
    const texts = {
      agent: "it boots over the network, and its boot script sends it into the agent",
      environment: "it boots over the network, and its boot script sends it into its Environment, which installs Talos",
      disk: "it boots over the network, and its boot script sends it on to its disk",
    };
    this.#say({ text: texts[into], boots: into });
    if (into === "agent") this.#see({ agent: { boot: `planned-${++this.#boots}`, since: this.#now + 1 } });
    if (into === "environment") this.#see({ askedAt: this.#now + 1 });
    this.#now += 1000;
  }

  /** As `decide/boot` would decide, as far as it depends on where the machine is in its life. */
  #into(): Into {
    const { wanted, seen, record } = this.machine;
    if (wanted.adopt) return "disk";
    if (seen.binding !== undefined)
      return isInstalled(this.machine, seen.binding) ? "disk" : wanted.accepted ? "environment" : "agent";
    const isOrdered = record.wipe !== undefined && ["ordered", "started", "failed"].includes(record.wipe.state);
    const isKnown = !wanted.accepted || record.isClean === true || record.phase === "Discovered" || isOrdered;
    return isKnown ? "agent" : "disk";
  }

  /** What others would do next, when there is nothing left for us. */
  #goesOn(): boolean {
    if (this.#ends !== undefined) {
      this.#set({ record: { ...this.machine.record, wipe: this.#ends } });
      this.#ends = undefined;
      this.#now += 1000;
      return true;
    }
    const { waiting } = this.machine.record;
    if (waiting?.reason === "PersonNeeded" && !this.steps.some(({ text }) => text === PERSON)) {
      this.#say({ text: PERSON });
      this.#start();
      return true;
    }
    // Only time has to pass.
    if (waiting?.deadline === undefined || !PASSING.has(waiting.reason)) return false;
    this.#now = Math.max(this.#now, Date.parse(waiting.deadline)) + 1;
    return true;
  }
}

const PERSON = "somebody switches it on, or restarts it";
const PASSING: ReadonlySet<string> = new Set(["Starting", "AgentToReturn", "SwitchedOn", "PowerOff", "BmcSetup"]);
const ORDERS = {
  refresh: "look at the hardware again",
  reboot: "reboot",
  powerOff: "switch off",
  wipe: "wipe",
  setupBmc: "make an account on its BMC",
  rotateBmc: "give its account on the BMC another password",
} as const;
