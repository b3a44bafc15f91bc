/** The simulated hall as a tenant of clusters sees it, for tests of the whole road. */
import assert from "node:assert/strict";
import { createClient } from "#kube/client.ts";
import { parseKubeconfig } from "#kube/kubeconfig.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
import type { Model } from "../../sim/machine/model.ts";
import { Nodes } from "../../sim/talos/kubernetes.ts";
import { Tenant } from "../../sim/trial/tenant.ts";
import { startTrial } from "../../sim/trial/trial.ts";
import type { Trial } from "../../sim/trial/trial.ts";

export const MINUTE = 60_000;

export interface Road {
  readonly trial: Trial;
  readonly tenant: Tenant;
}

/** A hall whose machines are accepted, clean and off; `models`: all there are if absent. */
export async function hallOf(machines: number, models?: readonly Model[]): Promise<Road> {
  const trial = await startTrial({ seed: 21, machines, ...(models && { models }) });
  const { hall, people } = trial;
  for (const machine of hall.machines) machine.switchOn();
  await hall.pass(6 * MINUTE);
  for (const machine of hall.machines) {
    await hall.during(people.accept(machine, hall.process!.client));
    await hall.during(people.nameDisk(machine, hall.process!.client));
  }
  const road = {
    trial,
    tenant: new Tenant(
      () => hall.process!.client,
      () => hall.clock.now(),
    ),
  };
  await until(road, "all machines are clean and off", 40, async () => hall.machines.every((machine) => isFree(road, machine)));
  return road;
}

/** Without a BMC nobody can switch it off. */
export function isFree({ trial }: Road, machine: SimMachine): boolean {
  const { isClean, phase } = trial.ledger.servers.get(machine.identity.uuid)?.status ?? {};
  const isOff = machine.power === "off" || machine.identity.model.bmc === "none";
  return isClean === true && phase === "Available" && isOff && !trial.ledger.bindings.has(machine.identity.uuid);
}

/** Fails with the story. */
export async function until({ trial }: Road, what: string, minutes: number, isSo: () => Promise<boolean>): Promise<void> {
  const { hall, watch } = trial;
  for (let passed = 0; passed < minutes * 6; passed++) {
    if (await hall.during(isSo())) {
      assert.deepEqual(watch.violations, [], hall.story.text());
      return;
    }
    await hall.pass(MINUTE / 6);
  }
  assert.fail(`${hall.story.text()}\n${what}: not within ${minutes} minutes\n${watch.violations.join("\n")}`);
}

/** Through the door that the cluster's kubeconfig names; none while it cannot be reached. */
export async function nodesOf({ trial, tenant }: Road, name: string): Promise<WorkloadNode[]> {
  const kubeconfig = await tenant.kubeconfig(name);
  if (kubeconfig === undefined) return [];
  const { clock, web } = trial.hall;
  const transport = web.openFrom("10.77.0.9")(parseKubeconfig(kubeconfig));
  const client = createClient({ transport, clock, entropy: new SeededEntropy(1), userAgent: "kubectl" });
  return (
    await client
      .for(Nodes)
      .list()
      .catch(() => ({ items: [] }))
  ).items;
}

const isReady = ({ status }: WorkloadNode): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;

export const nodesAre = (road: Road, name: string, count: number) => async (): Promise<boolean> => {
  const nodes = await nodesOf(road, name);
  const { items } = await road.tenant.of("machine").list();
  const phases = items.map(({ status }) => status?.["phase"]);
  return nodes.length === count && nodes.every(isReady) && items.length === count && phases.every((each) => each === "Running");
};
