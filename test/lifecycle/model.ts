/**
 * One machine with its BMC, its agent and its record, as far as the life cycle can see them. It is told what to do by decisions, does it at once or
 * when the test lets it, and notes what was done to it.
 */
import type { AgentOrder, AgentOrderStatus } from "#decide/agent-order.ts";
import { decideLifecycle } from "#decide/lifecycle/lifecycle.ts";
import type { LifecycleDecision } from "#decide/lifecycle/lifecycle.ts";
import type { Binding, Changes, LifecycleEffect, Machine, Record, Seen, Wanted } from "#decide/lifecycle/machine.ts";
import { stamp } from "#decide/lifecycle/time.ts";
import type { PowerFacts, PowerOperation } from "#decide/power.ts";

export const START = Date.parse("2030-01-01T00:00:00Z");
export const REBOOT_TIMEOUT = 20 * 60_000;

export const WANTED: Wanted = {
  accepted: true,
  adopt: false,
  wakeOnLan: false,
  firmware: "uefi",
  deleting: false,
  lacksBmc: false,
  isOwned: false,
};

export const BINDING: Binding = {
  uid: "b1",
  namespace: "default",
  metalMachine: "m1",
  cluster: "c1",
  isInstalled: false,
  isHeard: false,
};

export class Model {
  now = START;
  wanted: Wanted = WANTED;
  record: Record = {};
  binding: Binding | undefined;
  agent: Seen["agent"] | undefined;
  power: "on" | "off" | "unknown" = "off";
  way: PowerFacts["way"] = "bmc";
  breaker: PowerFacts["breaker"] = { state: "closed", failures: 0 };
  operation: PowerFacts["operation"];
  askedAt: number | undefined;
  isClusterGone = false;
  ordersSince: number | undefined;
  autoBmcSetup = false;
  agentsSince = START - 3_600_000;
  orders = new Map<string, AgentOrderStatus & { boot: string }>();
  /** What the BMC does with what it is told; false: it fails. */
  bmcWorks = true;
  /** Outcomes come when {@link settle} is called. */
  isSlow = false;
  /** Whether the live look confirms that it is free. */
  isFree = (): boolean =>
    this.binding === undefined && this.wanted.accepted && !this.wanted.adopt && this.wanted.paused === undefined;
  finalized = false;
  readonly done: string[] = [];
  readonly #pending: PowerOperation[] = [];
  #boots = 0;

  machine(): Machine {
    const { power, way, breaker, operation } = this;
    const current = this.agent?.boot;
    return {
      name: "m",
      uid: "u1",
      wanted: this.wanted,
      record: this.record,
      seen: {
        power: { way, power, breaker, readAt: this.now, ...(operation && { operation }) },
        ...(this.agent && { agent: this.agent }),
        orders: [...this.orders.values()].filter(
          ({ boot, kind }) => boot === current || kind === "reboot" || kind === "powerOff",
        ),
        agentsSince: this.agentsSince,
        ...(this.binding && { binding: this.binding }),
        ...(this.isClusterGone && { isClusterGone: true }),
        ...(this.askedAt !== undefined && { askedAt: this.askedAt }),
      },
      settings: {
        rebootTimeout: REBOOT_TIMEOUT,
        autoBmcSetup: this.autoBmcSetup,
        ...(this.ordersSince !== undefined && { ordersSince: this.ordersSince }),
      },
    };
  }

  decide(): LifecycleDecision {
    return decideLifecycle(this.machine(), this.now);
  }

  write(changes: Changes | undefined): void {
    const next: { [field: string]: unknown } = { ...this.record, ...changes };
    for (const [field, value] of Object.entries(next)) if (value === undefined) delete next[field];
    this.record = next;
  }

  /** One turn as the loop has it; stops where `die` says, before that step. */
  turn(die: (step: number) => boolean = () => false): LifecycleDecision {
    const decision = this.decide();
    let step = 0;
    if (die(step++)) return decision;
    this.write(decision.intent);
    for (const effect of decision.effects) {
      if (die(step++)) return decision;
      if (!this.perform(effect)) return decision;
    }
    if (die(step++)) return decision;
    this.write(decision.status);
    if (decision.finalized === true) this.finalized = true;
    return decision;
  }

  /** Turns until nothing changes any more; how many it took. */
  rest(most = 12): number {
    for (let turns = 1; turns <= most; turns++) {
      const before = JSON.stringify([this.record, this.done, this.operation, [...this.orders]]);
      this.turn();
      if (JSON.stringify([this.record, this.done, this.operation, [...this.orders]]) === before) return turns;
    }
    throw new Error(`does not come to rest: ${JSON.stringify(this.record)}`);
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** False: the turn ends here. */
  perform(effect: LifecycleEffect): boolean {
    switch (effect.do) {
      case "confirm-free":
        return this.isFree();
      case "operate":
        if (this.operation?.id !== effect.operation.id) this.#begin(effect.operation);
        return true;
      case "order":
        return this.#order(effect.kind, effect.id);
      case "wake":
        this.done.push("wake");
        return true;
      case "withdraw":
        this.operation = undefined;
        this.#pending.length = 0;
        return true;
      case "disown":
        this.wanted = { ...this.wanted, isOwned: false };
        return true;
      case "tell":
        return true;
    }
  }

  #begin(operation: PowerOperation): void {
    const what = operation.steps.map((step) =>
      step.do === "power" ? step.action : step.do === "boot-once" ? step.boot.device : step.do,
    );
    this.done.push(what.join("+"));
    this.operation = { id: operation.id, state: "running", at: this.now };
    this.#pending.push(operation);
    if (!this.isSlow) this.settle();
  }

  /** The BMC has done what it was told, or failed. */
  settle(): void {
    for (const { id, steps } of this.#pending.splice(0)) {
      if (!this.bmcWorks) {
        const error = { code: "bmc.unreachable", message: "no answer", retry: "soon" } as const;
        this.operation = { id, state: "failed", error, at: this.now };
        continue;
      }
      for (const step of steps) {
        if (step.do !== "power") continue;
        if (step.action === "off" || step.action === "soft-off") this.power = "off";
        else this.power = "on";
        if (step.action !== "on") this.agent = undefined;
      }
      this.operation = { id, state: "done", at: this.now };
    }
  }

  #order(kind: AgentOrder, id: string): boolean {
    if (this.agent === undefined) return false;
    const { boot } = this.agent;
    if (this.orders.get(id)?.boot !== boot) {
      this.done.push(`agent:${kind}`);
      this.orders.set(id, { id, kind, state: "sent", text: "", boot });
    }
    return true;
  }

  /** The agent is there, in a new boot. */
  connect(): void {
    this.power = this.way === "bmc" ? "on" : this.power;
    this.agent = { boot: `boot${++this.#boots}`, since: this.now };
  }

  disconnect(): void {
    this.agent = undefined;
  }

  /** As `BeginWipe`. */
  beginWipe(): void {
    this.write({ wipe: { ...this.record.wipe!, state: "started", startedAt: stamp(this.now), heardAt: stamp(this.now) } });
  }

  heard(): void {
    this.write({ wipe: { ...this.record.wipe!, heardAt: stamp(this.now) } });
  }

  endWipe(state: "done" | "failed", detail = "sda: broken"): void {
    const wipe = { ...this.record.wipe!, heardAt: stamp(this.now) };
    this.write({ wipe: state === "done" ? { ...wipe, state, finishedAt: stamp(this.now) } : { ...wipe, state, detail } });
    const id = this.record.wipe!.id;
    const order = this.orders.get(id);
    if (order !== undefined) this.orders.set(id, { ...order, state });
  }

  /** Brings it to clean and off, by the way that is usual. */
  clean(): this {
    this.wanted = { ...this.wanted, accepted: false };
    this.connect();
    this.rest();
    this.wanted = { ...this.wanted, accepted: true };
    this.rest();
    this.beginWipe();
    this.rest();
    this.endWipe("done");
    this.rest();
    this.disconnect();
    this.rest();
    this.done.length = 0;
    return this;
  }
}
