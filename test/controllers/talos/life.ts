/**
 * One random life of a control plane: machines fail and come back, people scale, roll and delete, and the controller decides on what it was told a while
 * ago. The decisions and what is done to etcd are the real ones; the API server around them is a few maps.
 */
import assert from "node:assert/strict";
import { bootstrap, confirm, confirmAlone, confirmSpare, leave, remove } from "#controllers/talos-control-plane/etcd.ts";
import type { Talos } from "#controllers/talos-control-plane/ports.ts";
import { readFacts } from "#controllers/talos-control-plane/reading.ts";
import { decideControlPlane } from "#decide/talos-control-plane/control-plane.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane } from "#decide/talos-control-plane/machine.ts";
import { LEAVE_HOOK } from "#decide/talos-control-plane/machine.ts";
import type { Acting } from "#kube/controller.ts";
import { entries } from "#kube/secret.ts";
import { statusFault } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { JsonObject } from "#std/json.ts";
import { printTalosconfig } from "#talos/talosconfig.ts";
import { TalosMachines } from "./machines.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type LiveMachine = Mutable<ControlPlaneMachine> & {
  annotations: Record<string, string>;
  conditions: JsonObject[];
  address: string;
};

const PLANE = { namespace: "n", name: "cp", uid: "plane", cluster: "c" };
const PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const TALOSCONFIG = entries({
  talosconfig: printTalosconfig({ name: "c", endpoints: [], ca: PEM, client: { certificate: PEM, key: PEM } }),
});

export class Life {
  readonly talos = new TalosMachines();
  machines: LiveMachine[] = [];
  /** What happened, for whoever has to find out why. */
  readonly story: string[] = [];
  /** Somebody took a hook away: what comes of it is not ours. */
  isForced = false;
  now = 1_000_000_000;
  lastFault = "";
  readonly #random: () => number;
  #spec: ObservedControlPlane["spec"];
  #status: ObservedControlPlane["status"] = {};
  #mark: string | undefined;
  readonly #surge: number;
  #made = 0;
  #template = "small";

  constructor(random: () => number, replicas: number) {
    this.#random = random;
    this.#surge = random() < 0.5 ? 0 : 1;
    this.#spec = {
      replicas,
      version: "v1.34.1",
      controlPlaneConfig: { controlplane: { generateType: "controlplane" } },
      rolloutStrategy: { rollingUpdate: { maxSurge: this.#surge } },
    };
    this.talos.onChange = (call, had) => {
      this.story.push(`${call}${had ? "" : " (without a quorum)"}`);
      if (had) assert.ok(this.talos.etcd.hasQuorum, `${call} broke the quorum`);
      if (!call.startsWith("bootstrap ")) return;
      const old = [...this.talos.machines.values()].filter(({ hasData, address }) => hasData && !call.endsWith(` ${address}`));
      assert.deepEqual(
        old.map(({ address }) => address),
        [],
        "bootstrapped although there are machines with etcd's data",
      );
    };
  }

  get replicas(): number {
    return this.#spec.replicas ?? 1;
  }

  /** All machines there are wanted, as they are wanted, and members that take part. */
  get isSettled(): boolean {
    const { etcd } = this.talos;
    return (
      this.machines.length === Math.max(1, this.replicas) &&
      etcd.voters.length === this.machines.length &&
      etcd.members.size === this.machines.length &&
      this.machines.every(({ clonedFrom, isDeleting }) => !isDeleting && clonedFrom?.name === this.#template)
    );
  }

  get status(): ObservedControlPlane["status"] {
    return this.#status;
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** Something happens that is not our doing. */
  happen(): void {
    const dice = this.#random();
    const machine = this.#pick(this.machines);
    const talos = machine && this.talos.machines.get(machine.address);
    if (dice < 0.3 && talos !== undefined && talos.delay === 0) {
      this.story.push(`${talos.isUp ? "fails" : "returns"} ${talos.address}`);
      this.talos.power(talos, !talos.isUp);
    } else if (dice < 0.45) {
      this.#spec = { ...this.#spec, replicas: 1 + Math.floor(this.#random() * 7) };
      this.story.push(`replicas ${this.#spec.replicas}`);
    } else if (dice < 0.55) {
      this.#template = this.#template === "small" ? "large" : "small";
      this.story.push(`roll to ${this.#template}, surge ${this.#spec.rolloutStrategy?.rollingUpdate?.maxSurge}`);
    } else if (dice < 0.65 && machine !== undefined) {
      this.story.push(`somebody deletes ${machine.name} at ${machine.address}`);
      machine.isDeleting = true;
    } else if (dice < 0.8 && machine !== undefined) {
      this.story.push(`health check gives up ${machine.name} at ${machine.address}`);
      const condition = (type: string): JsonObject => ({
        type,
        status: "False",
        reason: "Unhealthy",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      });
      machine.conditions = [condition("HealthCheckSucceeded"), condition("OwnerRemediated")];
    } else if (dice > 0.985 && machine !== undefined) {
      this.story.push(`somebody takes the hook off ${machine.name} at ${machine.address}, and deletes it`);
      this.isForced = true;
      delete machine.annotations[LEAVE_HOOK];
      machine.isDeleting = true;
    }
  }

  /** Everything is switched on again, nobody gives anything up any more, and there is a spare server: a single machine needs one. */
  heal(): void {
    this.#spec = { ...this.#spec, rolloutStrategy: { rollingUpdate: { maxSurge: this.replicas === 1 ? 1 : this.#surge } } };
    for (const talos of this.talos.machines.values()) if (talos.delay === 0) this.talos.power(talos, true);
    for (const machine of this.machines) machine.conditions = machine.conditions.filter(({ type }) => type !== "OwnerRemediated");
  }

  /** Time passes: machines do what they do by themselves, some are asked how they are, and the controller has some turns. */
  async step(share = this.#random()): Promise<void> {
    this.now += 5_000;
    this.talos.tick();
    for (const machine of this.machines) this.#tend(machine);
    this.machines = this.machines.filter((machine) => !this.#ends(machine));
    for (const machine of this.machines) if (this.#random() < share) await this.#ask(machine);
    const turns = 1 + Math.floor(this.#random() * 3);
    for (let i = 0; i < turns; i++) await this.#turn();
  }

  /** Cluster API's own part: a server, a Node, and the wipe of what nothing holds any more. */
  #tend(machine: LiveMachine): void {
    if (machine.address === "" && this.#random() < 0.7) {
      machine.address = `10.0.0.${++this.#made}`;
      machine.addresses = [machine.address];
      machine.hostnames = [machine.name];
      this.talos.add(machine.name, machine.address, 1 + Math.floor(this.#random() * 4));
    }
    const member = this.talos.etcd.members.get(this.talos.machines.get(machine.address)?.member ?? "");
    if (member?.isLearner === false) machine.nodeName = machine.name;
    if (machine.isDeleting && this.#random() < 0.7 && !machine.conditions.some(({ type }) => type === "Deleting"))
      machine.conditions = [...machine.conditions, { type: "Deleting", status: "True", reason: "WaitingForPreTerminateHook" }];
  }

  #ends({ isDeleting, annotations, address, name }: LiveMachine): boolean {
    if (!isDeleting || annotations[LEAVE_HOOK] !== undefined) return false;
    const had = this.talos.etcd.hasQuorum;
    this.talos.wipe(address);
    this.story.push(`wiped ${name} at ${address}`);
    if (had && !this.isForced) assert.ok(this.talos.etcd.hasQuorum, `wiping ${address} broke the quorum`);
    return true;
  }

  async #ask(machine: LiveMachine): Promise<void> {
    if (machine.address === "") return;
    try {
      machine.facts = {
        ...(await readFacts(this.talos.dial({ endpoints: [machine.address], ca: "", crt: "", key: "" }))),
        answeredAt: this.now,
      };
    } catch (error) {
      machine.facts = { ...machine.facts, problem: Fault.from(error).message };
    }
  }

  #observe(): ObservedControlPlane {
    const nodes = this.machines.flatMap(({ nodeName, address }) =>
      nodeName === undefined
        ? []
        : [{ name: nodeName, isReady: this.talos.machines.get(address)?.isUp === true, version: undefined }],
    );
    return {
      name: "cp",
      namespace: "n",
      uid: "plane",
      generation: 1,
      isDeleting: false,
      isPaused: false,
      mark: this.#mark,
      spec: this.#spec,
      status: this.#status,
      cluster: {
        name: "c",
        uid: "c",
        isPaused: false,
        isDeleting: false,
        isInfrastructureReady: true,
        endpoint: { host: "x", port: 6443 },
        failureDomains: ["a", "b"],
      },
      template: { group: "g", kind: "T", name: this.#template },
      isTemplateOwned: true,
      machines: this.machines.map((machine) => ({ ...machine })),
      nodes: nodes.length === 0 ? undefined : nodes,
      kubeconfig: undefined,
      hasAuthority: false,
      suffix: String(this.#made).padStart(5, "x") + this.machines.length + Math.floor(this.#random() * 1e6),
    };
  }

  async #turn(): Promise<void> {
    const { intent, effects, status } = decideControlPlane(this.#observe(), this.now);
    this.#write(intent);
    try {
      for (const effect of effects) await this.#act(effect);
      this.#write(status);
    } catch (error) {
      if (!Fault.is(error)) throw error;
      this.lastFault = `${error.code}: ${error.message}`;
    }
  }

  #write(status: object | undefined): void {
    const merged = { ...this.#status, ...status };
    this.#status = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  }

  async #act(effect: ControlPlaneEffect): Promise<void> {
    const find = (name: string): LiveMachine => this.machines.find((machine) => machine.name === name)!;
    const acting = this.#acting();
    const talos: Talos = {
      ...NOBODY,
      dial: ({ addresses }) => this.talos.dial({ endpoints: addresses, ca: "", crt: "", key: "" }),
    };
    switch (effect.do) {
      case "create":
        return this.#create(effect.machine.name, effect.machine.failureDomain);
      case "conditions":
        find(effect.machine).conditions = [...effect.conditions];
        return;
      case "delete":
        assert.ok(effect.guard !== undefined);
        await confirmAlone(effect.machine, PLANE, acting);
        if (effect.guard.leaves !== undefined) await confirmSpare(effect.guard.leaves, effect.guard.seats, PLANE, talos, acting);
        this.story.push(`we delete ${effect.machine} at ${find(effect.machine).address}`);
        find(effect.machine).isDeleting = true;
        return;
      case "release":
        await confirm(effect.machine, effect.proof, PLANE, talos, acting);
        this.story.push(`we release ${effect.machine}`);
        delete find(effect.machine).annotations[LEAVE_HOOK];
        this.#letGo(find(effect.machine));
        return;
      case "mark":
        this.#mark = effect.value;
        return;
      case "bootstrap":
        return await bootstrap(effect.seat, effect.others, PLANE, talos, acting);
      case "leave":
        return await leave(effect.member, effect.seat, effect.others, PLANE, talos, acting);
      case "remove-member":
        return await remove(effect.member, effect.gone, effect.others, PLANE, talos, acting);
      case "patch":
        return;
      default:
        throw new Error(`not expected: ${effect.do}`);
    }
  }

  #letGo({ address }: LiveMachine): void {
    const talos = this.talos.machines.get(address);
    if (talos !== undefined) talos.isLeaving = true;
  }

  #create(name: string, failureDomain: string | undefined): void {
    const { now } = this;
    this.story.push(`we make ${name}`);
    const config = this.#spec.controlPlaneConfig.controlplane;
    const clonedFrom = { name: this.#template, groupKind: "T.g" };
    const blank = {
      labels: {},
      spec: {},
      conditions: [],
      nodeName: undefined,
      addresses: [],
      hostnames: [],
      isConfigured: false,
      parts: [],
      facts: {},
    };
    const annotations = { [LEAVE_HOOK]: "" };
    this.machines.push({
      ...blank,
      name,
      uid: `uid-${name}`,
      resourceVersion: "1",
      createdAt: now,
      isDeleting: false,
      version: "v1.34.1",
      failureDomain,
      annotations,
      clonedFrom,
      config,
      address: "",
    });
  }

  #acting(): Acting {
    const shown = ({ name, uid, isDeleting }: LiveMachine): object => ({
      metadata: { name, uid, ...(isDeleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
    });
    const get = async (name: string): Promise<object> => {
      if (name === "c-talosconfig") return { metadata: { name }, data: TALOSCONFIG };
      const machine = this.machines.find((each) => each.name === name);
      if (machine === undefined) throw statusFault("NotFound", `${name} not found`);
      return shown(machine);
    };
    const listAll = async (): Promise<object> => ({ items: this.machines.map(shown) });
    const resource = { get, listAll, in: () => resource };
    return {
      client: { for: () => resource },
      events: { record: () => {} },
      signal: new AbortController().signal,
    } as unknown as Acting;
  }
}

const NOBODY: Omit<Talos, "dial"> = { follow: () => {}, facts: () => ({}), poke: () => {}, listen: () => () => {} };
