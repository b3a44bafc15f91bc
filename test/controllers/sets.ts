/** A cluster with templates, for tests of what makes machines; and a hand that does to Machines what their own controller would. */
import { TalosConfigTemplate } from "#kinds/bootstrap/v1beta1/talos-config-template.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineTemplateSpec } from "#kinds/cluster/v1beta2/machine-spec.ts";
import type { Condition } from "#kinds/condition.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { setCondition } from "#schema/condition.ts";
import { timestamp } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { ContractKinds } from "#kube/contract.ts";
import { createExternals } from "#kube/externals.ts";
import type { World } from "../kube/world.ts";

export const NAMESPACE = "default";

export async function addCluster(world: World, name = "c", spec: Cluster["spec"] = {}): Promise<Cluster> {
  const made = await world.client.for(Cluster).create({ metadata: { name, namespace: NAMESPACE }, spec });
  const status = { initialization: { infrastructureProvisioned: true, controlPlaneInitialized: true } };
  return await world.client.for(Cluster).update({ ...made, status }, { subresource: "status" });
}

/** A TalosConfigTemplate and a MetalMachineTemplate of this name. */
export async function addTemplates(world: World, name = "w"): Promise<void> {
  const metadata = { name, namespace: NAMESPACE };
  const config = { spec: { generateType: "worker" as const, talosVersion: "v1.13" } };
  await world.client.for(TalosConfigTemplate).create({ metadata, spec: { template: config } });
  const machine = { metadata: { labels: { rack: "7" } }, spec: { serverClassRef: { name: "any" } } };
  await world.client.for(MetalMachineTemplate).create({ metadata, spec: { template: machine } });
}

export function machineTemplate(templates = "w", more: Partial<MachineTemplateSpec["spec"]> = {}): MachineTemplateSpec {
  return {
    spec: {
      clusterName: "c",
      version: "v1.34.1",
      bootstrap: { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfigTemplate", name: templates } },
      infrastructureRef: { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachineTemplate", name: templates },
      ...more,
    },
  };
}

export async function machinesOf(world: World): Promise<Machine[]> {
  const { items } = await world.client.for(Machine).in(NAMESPACE).list();
  return items.toSorted((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
}

/** Says this of the machine, as somebody else's controller would. */
export async function tell(
  world: World,
  name: string,
  more: Machine["status"],
  ...said: Omit<Condition, "lastTransitionTime">[]
) {
  const machines = world.client.for(Machine).in(NAMESPACE);
  const machine = await machines.get(name);
  let conditions: readonly Condition[] = machine.status?.conditions ?? [];
  for (const each of said) conditions = setCondition(conditions, each, timestamp(world.clock));
  await machines.update(
    { ...machine, status: { ...machine.status, ...more, conditions: [...conditions] } },
    { subresource: "status" },
  );
}

const GOOD = [
  { type: "Ready", status: "True", reason: "Ready" },
  { type: "Available", status: "True", reason: "Available" },
  { type: "NodeHealthy", status: "True", reason: "Healthy" },
] as const;

/** Every machine that is not there yet comes up; every one that is to go is gone. */
export async function settleMachines(world: World): Promise<void> {
  for (const { metadata, status } of await machinesOf(world)) {
    const name = metadata.name ?? "";
    if (metadata.deletionTimestamp !== undefined)
      await world.client
        .for(Machine)
        .in(NAMESPACE)
        .patch(name, { metadata: { finalizers: null } });
    else if (status?.nodeRef === undefined) await tell(world, name, { nodeRef: { name } }, ...GOOD);
  }
}

/** What controllers of sets need, following templates and control planes until the signal. */
export function setPorts(world: World, signal: AbortSignal, seed = 3) {
  const ports = { client: world.client, clock: world.clock, entropy: new SeededEntropy(5), log: silent };
  const { externals, run } = createExternals(ports);
  void run(signal);
  return { kinds: new ContractKinds(world.client), entropy: new SeededEntropy(seed), externals };
}
