/**
 * A trial by ordeal of a cluster: somebody makes one, scales it, rolls it, brings it another Kubernetes, has machines of it replaced, and takes it
 * away, while everything goes wrong; then calm, in which it has to become what is wanted. All of it follows from the seed.
 */
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import { MODELS } from "../machine/model.ts";
import type { Model } from "../machine/model.ts";
import type { SimMachine } from "../machine/machine.ts";
import type { Story } from "../story.ts";
import { Nodes } from "../talos/kubernetes.ts";
import { Attacker } from "./attacker.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import { Tenant } from "./tenant.ts";
import type { Loose } from "./tenant.ts";
import { startTrial } from "./trial.ts";
import type { Trial } from "./trial.ts";

export interface ClusterTrialOptions {
  readonly seed: number;
  /** Minutes of trouble for the cluster as it is made and changed: 40 if absent. */
  readonly minutes?: number;
}

export interface ClusterVerdict {
  readonly seed: number;
  /** What must never be. */
  readonly violations: readonly string[];
  /** What had not become as it was wanted. */
  readonly unsettled: readonly string[];
  readonly story: Story;
  /** Hours of simulated time. */
  readonly hours: number;
  /** What was asked for, in order. */
  readonly deeds: readonly string[];
  /** Everything there was of the cluster when its time was up. */
  readonly last: readonly string[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NAME = "one";
/** Milliseconds between two deeds of the tenant, two strikes of mischief and two tries of the attacker, on average. */
const PACE = { tenant: 5 * MINUTE, mischief: 3 * MINUTE, attacker: MINUTE } as const;
/** Hours in which everything has to come to rest. */
const CALM = 4;
const PATCHES = 6;

/** Those with a BMC: without one a machine that hangs waits for a person. */
const RACK: readonly Model[] = MODELS.filter(({ bmc }) => bmc !== "none").map(quick);

interface Wanted {
  controlPlanes: number;
  workers: number;
  version: string;
}

export async function runClusterTrial({ seed, minutes = 40 }: ClusterTrialOptions): Promise<ClusterVerdict> {
  const controlPlanes = 1 + (seed % 7);
  const count = controlPlanes + 4;
  const watch = new ClusterWatch({ violation: (what) => trial.watch.violation(what) });
  const trial: Trial = await startTrial({ seed, machines: count, models: RACK, onEvent: (event) => watch.onEvent(event) });
  const { hall, mischief, draw } = trial;
  hall.talos.onMisfortune = (cluster, what) => watch.onMisfortune(cluster, what);
  await makeReady(trial);
  const tenant = new Tenant(
    () => hall.process!.client,
    () => hall.clock.now(),
  );
  const wanted: Wanted = { controlPlanes, workers: 2, version: "v1.36.0" };
  const deeds: string[] = [];
  const dice = draw();
  const attacker = new Attacker(hall, draw());
  let isTroubled = true;
  const every = (mean: number, act: () => void): void => {
    hall.clock.after(-Math.log(1 - dice.fraction()) * mean, () => {
      if (!isTroubled) return;
      act();
      every(mean, act);
    });
  };
  const trouble = async (): Promise<void> => {
    isTroubled = true;
    every(PACE.mischief, () => mischief.strike());
    every(PACE.attacker, () => attacker.strike());
    await hall.pass(minutes * MINUTE);
    isTroubled = false;
    mischief.end();
    hall.story.tell("hall", "from now on nothing goes wrong any more");
    if (hall.process === undefined) await hall.during(hall.start());
    for (const machine of hall.machines) if (machine.screen === "panic") machine.reset();
  };
  const asks = (what: string, act: () => Promise<unknown>): void => {
    deeds.push(what);
    hall.story.tell("tenant", what);
    void persist(trial, act);
  };

  asks(`a cluster of ${controlPlanes} and 2`, () =>
    tenant.apply({ name: NAME, host: "10.77.0.100", controlPlanes, workers: 2, kubernetesVersion: wanted.version }),
  );
  every(PACE.tenant, () => deed(dice, { tenant, wanted, most: count - 1, asks }));
  await trouble();
  const unsettled = await settle(trial, tenant, () => problemsOf(trial, tenant, wanted));
  if (unsettled.length === 0) {
    asks("nothing any more", () => tenant.delete(NAME));
    await trouble();
    unsettled.push(...(await settle(trial, tenant, () => remains(trial, tenant))));
  }
  const last = unsettled.length === 0 ? [] : await hall.during(tenant.describe());
  const end = hall.clock.monotonic();
  await hall.stop();
  if (attacker.taken > 0) trial.watch.violation(`a stranger has ${attacker.taken} configurations`);
  const { violations } = trial.watch;
  return { seed, violations, unsettled, story: hall.story, hours: end / HOUR, deeds, last };
}

/** Accepted, clean and off. */
async function makeReady(trial: Trial): Promise<void> {
  const { hall, people } = trial;
  for (const machine of hall.machines) machine.switchOn();
  for (let passed = 0; passed < 60 && !hall.machines.every((machine) => isFree(trial, machine)); passed++) {
    await hall.pass(MINUTE);
    for (const machine of hall.machines) {
      if (trial.ledger.servers.get(machine.identity.uuid)?.spec?.accepted !== false) continue;
      await hall.during(people.introduce(machine, hall.process!.client));
      await hall.during(people.nameDisk(machine, hall.process!.client));
      await hall.during(people.agree(machine, hall.process!.client));
    }
  }
}

function isFree({ ledger }: Trial, { identity, power }: SimMachine): boolean {
  const { isClean, phase } = ledger.servers.get(identity.uuid)?.status ?? {};
  return isClean === true && phase === "Available" && power === "off" && !ledger.bindings.has(identity.uuid);
}

interface Doing {
  readonly tenant: Tenant;
  readonly wanted: Wanted;
  /** Machines that the cluster may have. */
  readonly most: number;
  readonly asks: (what: string, act: () => Promise<unknown>) => void;
}

/** One thing that somebody wants of the cluster. */
function deed(dice: SeededEntropy, { tenant, wanted, most, asks }: Doing): void {
  const ways: readonly (() => void)[] = [
    () => {
      wanted.controlPlanes = 1 + dice.below(Math.min(7, most - wanted.workers));
      asks(`${wanted.controlPlanes} control plane machines`, () => tenant.scaleControlPlane(NAME, wanted.controlPlanes));
    },
    () => {
      wanted.workers = dice.below(Math.min(4, most - wanted.controlPlanes + 1));
      asks(`${wanted.workers} workers`, () => tenant.scaleWorkers(NAME, wanted.workers));
    },
    () => {
      const patch = Math.min(PATCHES, Number(wanted.version.split(".")[2]) + 1);
      wanted.version = `v1.36.${patch}`;
      asks(`Kubernetes ${wanted.version}`, () => tenant.upgrade(NAME, wanted.version));
    },
    () => {
      const version = `v1.13.${10 + dice.below(PATCHES)}`;
      asks(`Talos ${version}, in place`, () => tenant.upgradeTalos(NAME, version));
    },
    () => asks("new control plane machines", () => tenant.roll(NAME)),
    () => {
      const at = dice.fraction();
      asks("one machine less, by hand", () => tenant.deleteMachine(NAME, at, "worker"));
    },
    () => {
      if (wanted.controlPlanes < 3) return;
      const at = dice.fraction();
      asks("one control plane machine less, by hand", () => tenant.deleteMachine(NAME, at, "control-plane"));
    },
    () => asks("a health check", () => tenant.checkHealth(NAME)),
    () => {
      const at = dice.fraction();
      asks("a machine replaced", () => tenant.remediate(NAME, at));
    },
  ];
  ways[dice.below(ways.length)]!();
}

/** What the API refuses, or nobody answers to, is asked again: people do. */
async function persist({ hall }: Trial, act: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isDone =
      hall.process !== undefined &&
      (await act().then(
        () => true,
        () => false,
      ));
    if (isDone) return;
    await new Promise<void>((resolve) => void hall.clock.after(10_000, resolve));
  }
}

/** What is left over when its time is up. */
async function settle({ hall, watch }: Trial, tenant: Tenant, problems: () => Promise<string[]>): Promise<string[]> {
  let left: string[] = [];
  for (let passed = 0; passed < CALM * 60; passed += 2) {
    await hall.pass(2 * MINUTE);
    // As people do who come by, and who read what is asked of them.
    for (const machine of hall.machines) if (machine.screen === "panic") machine.reset();
    if (passed % 20 === 0) await hall.during(tenant.heal(passed));
    left = await hall.during(problems());
    if (left.length === 0 || watch.violations.length > 0) break;
  }
  return left;
}

async function problemsOf({ hall, ledger }: Trial, tenant: Tenant, wanted: Wanted): Promise<string[]> {
  const [{ items: machines }, { items: metalMachines }, cluster, controlPlane] = await Promise.all([
    tenant.of("machine").list(),
    tenant.of("metalMachine").list(),
    tenant.of("cluster").get(NAME),
    tenant.of("controlPlane").get(`${NAME}-cp`),
  ]);
  const count = wanted.controlPlanes + wanted.workers;
  const world = [...hall.talos.clusters.values()].find(({ name }) => name === NAME);
  const nodes = world?.isServing === true ? (await world.client!.for(Nodes).list()).items : [];
  const ready = nodes.filter(isReady);
  const of = (what: string, is: unknown, ought: unknown): string[] =>
    is === ought ? [] : [`${what}: ${String(is)}, and ${String(ought)} wanted`];
  const providers = new Set(nodes.map(({ spec }) => spec?.providerID));
  const bound = [...ledger.bindings.keys()].map((uuid) => `sidero://${uuid}`);
  return [
    ...of("Machines", machines.length, count),
    ...machines.flatMap((machine) => of(`Machine ${machine.metadata.name}`, machine.status?.["phase"], "Running")),
    ...machines.flatMap((machine) => of(`Machine ${machine.metadata.name}: version`, machine.spec?.["version"], wanted.version)),
    // One that was made for a Machine that then was not has none, and goes with its set.
    ...of("MetalMachines with a Server", metalMachines.filter(({ spec }) => spec?.["serverRef"] !== undefined).length, count),
    ...of("ServerBindings", bound.length, count),
    ...nodes
      .filter(({ metadata }) => !machines.some(({ status }) => nodeOf(status) === metadata.name))
      .map(({ metadata }) => `Node ${metadata.name} is of no Machine`),
    ...of("Nodes that are ready", ready.length, count),
    ...of("control plane Nodes", ready.filter(isControl).length, wanted.controlPlanes),
    ...ready.flatMap((node) =>
      of(`Node ${node.metadata.name}: version`, node.status?.nodeInfo?.["kubeletVersion"], wanted.version),
    ),
    ...bound.filter((each) => !providers.has(each)).map((each) => `${each} has no Node`),
    ...of("etcd's members", world?.etcd.voters.length, wanted.controlPlanes),
    ...of("Cluster", conditionOf(cluster, "Available"), "True"),
    ...of("TalosControlPlane", conditionOf(controlPlane, "Ready"), "True"),
  ].map((problem) => `${problem}${waitingOf(controlPlane)}`);
}

async function remains(trial: Trial, tenant: Tenant): Promise<string[]> {
  const kinds = ["cluster", "machine", "metalMachine", "controlPlane", "deployment"] as const;
  const lists = await Promise.all(
    kinds.map(async (kind) =>
      (await tenant.of(kind).list()).items.map(({ metadata }) => `${kind} ${metadata.name} is still there`),
    ),
  );
  const busy = trial.hall.machines.filter((machine) => !isFree(trial, machine));
  return [
    ...lists.flat(),
    ...busy.map(({ identity, power, screen }) => {
      const { phase, isClean, waiting } = trial.ledger.servers.get(identity.uuid)?.status ?? {};
      return `${identity.serial} is ${phase}, clean: ${isClean}, power ${power}, ${screen}, waiting for ${waiting?.waitingFor}`;
    }),
  ];
}

function nodeOf(status: Loose["status"]): string | undefined {
  return (status?.["nodeRef"] as { name: string } | undefined)?.name;
}

function isReady({ status }: WorkloadNode): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
}

function isControl({ metadata }: WorkloadNode): boolean {
  return metadata.labels?.["node-role.kubernetes.io/control-plane"] !== undefined;
}

function conditionOf({ status }: Loose, type: string): string | undefined {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.find((each) => each.type === type)?.status;
}

function waitingOf({ status }: Loose): string {
  const { waitingFor } = (status?.["waiting"] ?? {}) as { waitingFor?: string };
  return waitingFor === undefined ? "" : ` (the control plane waits for ${waitingFor})`;
}

/** Starting and wiping are looked at elsewhere: here they only take time. */
function quick(model: Model): Model {
  const disks = model.disks.map((disk) => ({ ...disk, kind: "ssd" as const, haste: 10 }));
  return { ...model, post: Math.min(model.post, 30_000), disks };
}
