/** Machines of controller tests: BMCs and agents that do what they are told when the test lets them, and remember it. */
import { createServerController } from "#controllers/server/controller.ts";
import type { Agents, Clusters, Power } from "#controllers/server/ports.ts";
import type { AgentConnection, AgentOrder, AgentOrderStatus } from "#decide/agent-order.ts";
import type { PowerFacts, PowerOperation } from "#decide/power.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server, ServerStatus } from "#kinds/metal/v1alpha2/server.ts";
import { Server as Servers } from "#kinds/metal/v1alpha2/server.ts";
import { type Metrics, silentMetrics } from "#kube/metrics.ts";
import { isConflict } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { Process, World } from "../kube/world.ts";

const CLOSED: PowerFacts["breaker"] = { state: "closed", failures: 0 };

export interface FakeMachine {
  way: PowerFacts["way"];
  power: "on" | "off";
  agent?: AgentConnection;
  operation?: PowerFacts["operation"];
  /** What was done to it, in order. */
  readonly done: string[];
}

/** The hardware outlives processes; what a process knows of it does not. */
export class Machines {
  readonly all = new Map<string, FakeMachine>();
  /** Called before and after each effect; what it throws is what the controller sees. */
  onEffect: (what: string) => void = () => {};
  readonly followed = new Map<string, string>();
  readonly paused = new Set<string>();
  readonly gone = new Set<string>();
  #boots = 0;
  #known = new Map<string, PowerFacts["operation"]>();
  #orders = new Map<string, AgentOrderStatus & { readonly boot: string }>();
  readonly #listeners = new Set<(machine: string) => void>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  add(name: string, machine: Partial<FakeMachine> = {}): FakeMachine {
    const added = { way: "bmc", power: "off", done: [], ...machine } as FakeMachine;
    this.all.set(name, added);
    return added;
  }

  /** A process of its own: it knows nothing of what others have begun. */
  start(metrics: Metrics = silentMetrics): Process {
    this.#known = new Map();
    this.#orders = new Map();
    this.#listeners.clear();
    const controller = createServerController({
      power: this.#power,
      agents: this.#agents,
      clusters: this.#clusters,
      clock: this.#world.clock,
      metrics,
      settings: { rebootTimeout: 1_200_000, autoBmcSetup: false, firmware: "uefi" },
    });
    return this.#world.run(controller);
  }

  readonly #power: Power = {
    follow: (server, credentials) => void this.followed.set(server.metadata.name!, credentials),
    forget: (machine) => void this.followed.delete(machine),
    facts: (name) => {
      const machine = this.all.get(name);
      if (machine === undefined || !this.followed.has(name)) return { way: "none", power: "unknown", breaker: CLOSED };
      const operation = this.#known.get(name);
      const power = machine.way === "bmc" ? machine.power : "unknown";
      return { way: machine.way, power, breaker: CLOSED, readAt: this.#world.clock.now(), ...(operation && { operation }) };
    },
    begin: (name, operation) => this.#begin(name, operation),
    wake: (server) => {
      const machine = this.all.get(server.metadata.name!)!;
      machine.done.push("wake");
      machine.power = "on";
    },
    onChange: (listener) => this.#listen(listener),
  };

  readonly #agents: Agents = {
    connection: (name) => this.all.get(name)?.agent,
    send: (name, kind, id) => this.#send(name, kind, id),
    status: (id) => this.#orders.get(id),
    onChange: (listener) => this.#listen(listener),
  };

  readonly #clusters: Clusters = {
    isPaused: (namespace, name) => this.paused.has(`${namespace}/${name}`),
    isThere: (namespace, name) => !this.gone.has(`${namespace}/${name}`),
    isPausedNow: async (namespace, name) => this.paused.has(`${namespace}/${name}`),
    onChange: () => () => {},
  };

  #listen(listener: (machine: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }

  #begin(name: string, operation: PowerOperation): void {
    this.onEffect("before");
    const machine = this.all.get(name)!;
    if (this.#known.get(name)?.id !== operation.id) {
      this.#known.set(name, { id: operation.id, state: "running", at: this.#world.clock.now() });
      this.#world.clock.after(500, () => this.#finish(name, machine, operation));
    }
    this.onEffect("after");
  }

  #finish(name: string, machine: FakeMachine, { id, steps }: PowerOperation): void {
    const actions = steps.map((step) =>
      step.do === "power" ? step.action : step.do === "boot-once" ? step.boot.device : step.do,
    );
    machine.done.push(actions.join("+"));
    const action = actions.at(-1);
    const isOff = action === "off" || action === "soft-off";
    if (isOff || action === "cycle") delete machine.agent;
    machine.power = isOff ? "off" : "on";
    this.#known.set(name, { id, state: "done", at: this.#world.clock.now() });
    this.tell(name);
  }

  #send(name: string, kind: AgentOrder, id: string): void {
    this.onEffect("before");
    const machine = this.all.get(name)!;
    if (machine.agent === undefined) throw new Fault("agent.not-connected", "not connected", { fault: "world", retry: "later" });
    const { boot } = machine.agent;
    if (this.#orders.get(id)?.boot !== boot) {
      machine.done.push(`agent:${kind}`);
      this.#orders.set(id, { id, kind, state: "sent", text: "", boot });
    }
    if (kind === "powerOff") this.#world.clock.after(300, () => this.disconnect(name));
    this.onEffect("after");
  }

  connect(name: string): void {
    const machine = this.all.get(name)!;
    machine.power = "on";
    machine.agent = { boot: `boot-${++this.#boots}`, since: this.#world.clock.now() };
    this.tell(name);
  }

  disconnect(name: string): void {
    delete this.all.get(name)!.agent;
    this.tell(name);
  }
}

/** As the agent API writes what agents say. */
export async function report(
  world: World,
  name: string,
  change: (wipe: NonNullable<ServerStatus["wipe"]>) => NonNullable<ServerStatus["wipe"]>,
): Promise<void> {
  const servers = world.client.for(Servers);
  for (;;) {
    const server = await servers.get(name);
    try {
      await servers.update(
        { ...server, status: { ...server.status, wipe: change(server.status!.wipe!) } },
        { subresource: "status" },
      );
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/** `BeginWipe` and the last `ReportWipe` of an agent to which nothing happens; false when the order does not hold. */
export async function wipe(world: World, name: string): Promise<boolean> {
  const server = await world.client.for(Servers).get(name);
  const bindings = (await world.client.for(ServerBinding).list()).items;
  const state = server.status?.wipe?.state;
  const isHeld = bindings.some(({ metadata }) => metadata.name === name);
  if (isHeld || server.spec?.accepted !== true || (state !== "ordered" && state !== "failed" && state !== "started"))
    return false;
  const now = new Date(world.clock.now()).toISOString();
  await report(world, name, (order) => ({ ...order, state: "started", startedAt: now, heardAt: now }));
  await world.pass(1000);
  const then = new Date(world.clock.now()).toISOString();
  await report(world, name, (order) => ({ ...order, state: "done", finishedAt: then, heardAt: then }));
  return true;
}

export function binding(name: string): {
  metadata: { name: string; labels: Record<string, string> };
  spec: NonNullable<ServerBinding["spec"]>;
} {
  const labels = { "cluster.x-k8s.io/cluster-name": "c1" };
  return { metadata: { name, labels }, spec: { metalMachineRef: { name: `machine-${name}`, namespace: "default" } } };
}

export type { Server };
