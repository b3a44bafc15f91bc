/** MachineHealthCheck on an API server in this process (facts §2.7); what its cluster's Nodes say is handed in. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createHealthCheckController } from "#controllers/machine-health-check/controller.ts";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import { families } from "#kinds/index.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { KubeEvent } from "#kube/events.ts";
import type { WorkloadNode, Workloads } from "#kube/workload.ts";
import { findCondition } from "#schema/condition.ts";
import { kind } from "#schema/kind.ts";
import { json } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { addCluster, addTemplates, machinesOf, machineTemplate, NAMESPACE, setPorts, settleMachines, tell } from "./sets.ts";

const foreign = (name: string) => ({
  storage: kind({
    group: "rem.example.io",
    version: "v1",
    kind: name,
    plural: `${name.toLowerCase()}s`,
    scope: "Namespaced",
    doc: "",
    spec: json(),
  }),
  older: [],
  labels: { "cluster.x-k8s.io/v1beta2": "v1" },
  webhook: { namespace: "n", service: "s", certificate: "c" },
});

let world: World;
let nodes: Map<string, WorkloadNode> | undefined;
let problem: Fault | undefined;
let changed: () => void;
let end: AbortController;

const workloads: Workloads = {
  sight: () => ({ nodes: nodes && [...nodes.values()], problem, since: undefined }),
  client: () => Promise.reject(new Error("nobody writes to Nodes here")),
  onChange: (listener) => {
    changed = () => listener({ namespace: NAMESPACE, name: "c" });
    return () => {};
  },
};

beforeEach(async () => {
  [nodes, problem, changed, end] = [new Map(), undefined, () => {}, new AbortController()];
  world = await startWorld({ families: [...families, foreign("Reboot"), foreign("RebootTemplate")] });
  await addCluster(world);
  await addTemplates(world);
});
afterEach(async () => {
  end.abort();
  await world.stop();
});

/** Three machines of a set, whose Nodes are ready. */
async function start(spec: Partial<NonNullable<MachineHealthCheck["spec"]>> = {}): Promise<string[]> {
  const ports = setPorts(world, end.signal);
  world.run(createMachineSetController(ports), createHealthCheckController({ ...ports, workloads }));
  const metadata = { name: "s", namespace: NAMESPACE };
  const template = { ...machineTemplate(), metadata: { labels: { pool: "a" } } };
  const selector = { matchLabels: { pool: "a" } };
  await world.client.for(MachineSet).create({ metadata, spec: { clusterName: "c", replicas: 3, selector, template } });
  await world.pass(1000);
  await settleMachines(world);
  const names = (await machinesOf(world)).map((machine) => machine.metadata.name ?? "");
  for (const name of names) say(name, "True");
  const checks = { unhealthyNodeConditions: [{ type: "Ready", status: "Unknown" as const, timeoutSeconds: 300 }] };
  await world.client
    .for(MachineHealthCheck)
    .create({ metadata: { ...metadata, name: "h" }, spec: { clusterName: "c", selector, checks, ...spec } });
  await world.pass(2000);
  return names;
}

function say(name: string, ready: string): void {
  const lastTransitionTime = new Date(world.clock.now()).toISOString();
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    status: { conditions: [{ type: "Ready", status: ready, lastTransitionTime }] },
  };
  nodes?.set(name, node);
  changed();
}

const machineOf = (name: string): Promise<Machine> => world.client.for(Machine).in(NAMESPACE).get(name);
async function condition(name: string, type: string) {
  const { status, reason } = findCondition((await machineOf(name)).status?.conditions ?? [], type) ?? {};
  return status === undefined ? undefined : `${status} ${reason}`;
}
async function check(): Promise<MachineHealthCheck> {
  return await world.client.for(MachineHealthCheck).in(NAMESPACE).get("h");
}
async function counts(): Promise<(number | undefined)[]> {
  const { status } = await check();
  return [status?.expectedMachines, status?.currentHealthy, status?.remediationsAllowed];
}
const isGoing = async (name: string): Promise<boolean> => (await machineOf(name)).metadata.deletionTimestamp !== undefined;

describe("a machine is unhealthy", () => {
  test("when its Node has been so for longer than allowed, and its set replaces it", async () => {
    const [a = "", b = ""] = await start();
    assert.deepEqual(await counts(), [3, 3, 3]);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    say(a, "Unknown");
    await world.pass(290_000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    await world.pass(15_000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "False UnhealthyNode");
    assert.equal(await condition(a, "OwnerRemediated"), "False MachineDeleting");
    assert.deepEqual([await isGoing(a), await isGoing(b)], [true, false]);
    assert.deepEqual(await counts(), [3, 2, 2]);
    const { metadata, status } = await check();
    assert.deepEqual(
      metadata.ownerReferences?.map(({ kind: owner, name }) => [owner, name]),
      [["Cluster", "c"]],
    );
    assert.deepEqual(status?.targets?.length, 3);
  });

  test("when its Node is gone; not when nobody can see it", async () => {
    const [a = ""] = await start();
    problem = new Fault("io.unreachable", "no", { fault: "world", retry: "soon" });
    const seen = nodes;
    nodes = new Map();
    changed();
    await world.pass(1000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    [problem, nodes] = [undefined, seen];
    nodes?.delete(a);
    changed();
    await world.pass(1000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "False NodeDeleted");
  });

  test("when no Node comes, counted from when one could have come", async () => {
    await start({ checks: { nodeStartupTimeoutSeconds: 120 } });
    await world.client
      .for(MachineSet)
      .in(NAMESPACE)
      .patch("s", { spec: { replicas: 4 } });
    await world.pass(1000);
    const fresh = (await machinesOf(world)).find(({ status }) => status?.nodeRef === undefined)?.metadata.name ?? "";
    await world.pass(60_000);
    await tell(world, fresh, {}, { type: "InfrastructureReady", status: "True", reason: "Ready" });
    await world.pass(110_000);
    assert.equal(await condition(fresh, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    await world.pass(15_000);
    assert.equal(await condition(fresh, "HealthCheckSucceeded"), "False NodeStartupTimeout");
  });

  test("when a condition of its own has been so for longer than allowed", async () => {
    const [a = ""] = await start({
      checks: { unhealthyMachineConditions: [{ type: "Tired", status: "True", timeoutSeconds: 30 }] },
    });
    await tell(world, a, {}, { type: "Tired", status: "True", reason: "X" });
    await world.pass(20_000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    await world.pass(15_000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "False UnhealthyMachine");
  });

  test("when a person says so; and left alone when one says that", async () => {
    const [a = "", b = ""] = await start();
    const machines = world.client.for(Machine).in(NAMESPACE);
    await machines.patch(b, { metadata: { annotations: { "cluster.x-k8s.io/skip-remediation": "" } } });
    await machines.patch(a, { metadata: { annotations: { "cluster.x-k8s.io/remediate-machine": "" } } });
    nodes?.delete(b);
    changed();
    await world.pass(1000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "False HasRemediateMachineAnnotation");
    assert.equal(await isGoing(a), true);
    assert.equal(await isGoing(b), false);
    assert.equal((await check()).status?.expectedMachines, 2);
  });
});

describe("machines are remedied", () => {
  for (const [triggerIf, allowed] of [
    [{ unhealthyLessThanOrEqualTo: "40%" }, false],
    [{ unhealthyLessThanOrEqualTo: 2 }, true],
    [{ unhealthyInRange: "[3-5]" }, false],
    [{ unhealthyInRange: "[1-2]" }, true],
  ] as const)
    test(`two of three, with ${JSON.stringify(triggerIf)}: ${allowed}`, async () => {
      const [a = "", b = ""] = await start({ remediation: { triggerIf } });
      nodes?.delete(a);
      nodes?.delete(b);
      changed();
      await world.pass(1000);
      assert.equal(await condition(a, "HealthCheckSucceeded"), "False NodeDeleted");
      assert.deepEqual([await isGoing(a), await isGoing(b)], [allowed, allowed]);
      const { reason } = findCondition((await check()).status?.conditions ?? [], "RemediationAllowed") ?? {};
      assert.equal(reason, allowed ? "RemediationAllowed" : "TooManyUnhealthy");
      await world.pass(5000);
      const { items } = await world.client.for(KubeEvent).in(NAMESPACE).list();
      const restricted = items.filter((event) => event.reason === "RemediationRestricted").map(({ count }) => count);
      assert.deepEqual(restricted, allowed ? [] : [1], "said once");
    });

  test("by somebody else, who is asked by an object of the machine's name, until it is healthy", async () => {
    const metadata = { name: "r", namespace: NAMESPACE };
    const templates = world.client.for<KubeObject>(foreign("RebootTemplate").storage);
    await templates.create({ metadata, spec: { template: { spec: { hard: true } } } });
    const templateRef = { apiVersion: "rem.example.io/v1", kind: "RebootTemplate", name: "r" };
    const [a = ""] = await start({ remediation: { templateRef } });
    const kept = nodes?.get(a);
    nodes?.delete(a);
    changed();
    await world.pass(3000);
    const requests = world.client.for<KubeObject>(foreign("Reboot").storage).in(NAMESPACE);
    const request = await requests.get(a);
    assert.deepEqual([request["spec"], request.metadata.ownerReferences?.[0]?.kind], [{ hard: true }, "Machine"]);
    assert.equal(await condition(a, "ExternallyRemediated"), "False WaitingForRemediation");
    assert.equal(await isGoing(a), false, "its set leaves it to them");
    nodes?.set(a, kept!);
    changed();
    await world.pass(3000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
    assert.equal(await condition(a, "ExternallyRemediated"), undefined);
    assert.deepEqual((await requests.list()).items, []);
  });

  test("never before the cluster is up", async () => {
    const [a = ""] = await start();
    const path = "/apis/cluster.x-k8s.io/v1beta2/namespaces/default/clusters/c/status";
    await world.fixture.patch(path, { status: { initialization: { controlPlaneInitialized: false } } });
    nodes?.delete(a);
    changed();
    await world.pass(2000);
    assert.equal(await condition(a, "HealthCheckSucceeded"), "True HealthCheckSucceeded");
  });
});

test("nothing is written while all is as it should be", async () => {
  const [a = ""] = await start();
  await world.pass(2000);
  const before = world.requests.filter(isWrite).length;
  for (let i = 0; i < 10; i++) {
    nodes?.set(a, { ...nodes.get(a)!, metadata: { name: a, annotations: { beat: String(i) } } });
    changed();
    await world.pass(30_000);
  }
  assert.deepEqual(world.requests.filter(isWrite).slice(before), []);
});
