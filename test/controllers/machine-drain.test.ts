/** The Node of a Machine that goes is emptied: budgets are respected, rules followed, hooks waited for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDrainRule } from "#kinds/cluster/v1beta2/machine-drain-rule.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { isNotFound } from "#kube/status.ts";
import { Pods } from "../kube/pods.ts";
import { ClusterWorld } from "./cluster-world.ts";

async function setUp(): Promise<{ world: ClusterWorld; pods: Pods }> {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.machine("cp", { metadata: { labels: { "cluster.x-k8s.io/control-plane": "" } } });
  await world.machine("m", { spec: { deletion: { nodeDrainTimeoutSeconds: 300, nodeDeletionTimeoutSeconds: 10 } } });
  await world.bringUp();
  const pods = new Pods(world.workload);
  await world.provision("cp");
  await world.provision("m");
  return { world, pods };
}

async function deleting(world: ClusterWorld): Promise<{ reason: string | undefined; message: string }> {
  const { conditions } = (await world.of(Machine).get("m")).status!;
  const { reason, message = "" } = conditions!.find(({ type }) => type === "Deleting")!;
  return { reason, message };
}

test("Pods leave before the machine does, in the order of the rules, and no budget is broken", async () => {
  const { world, pods } = await setUp();
  pods.list.push(
    { namespace: "apps", name: "web", node: "m" },
    { namespace: "apps", name: "db", node: "m", labels: { app: "db" } },
    { namespace: "apps", name: "log", node: "m", labels: { "cluster.x-k8s.io/drain": "skip" } },
    { namespace: "apps", name: "elsewhere", node: "cp" },
  );
  pods.protected.add("web");
  const spec = { drain: { behavior: "Drain" as const, order: 10 }, pods: [{ selector: { matchLabels: { app: "db" } } }] };
  await world.of(MachineDrainRule).create({ metadata: { name: "db-last" }, spec });
  await world.of(Machine).delete("m");
  await world.pass(8_000);
  assert.ok(pods.evictions.length > 1, "it is tried again");
  assert.ok(pods.evictions.every((name) => name === "web?"));
  const { reason, message } = await deleting(world);
  assert.equal(reason, "DrainingNode");
  assert.match(message, /apps\/web: Cannot evict pod.* The disruption budget web needs 1 healthy pods/);
  assert.notEqual((await world.of(Machine).get("m")).status?.deletion?.nodeDrainStartTime, undefined);
  pods.protected.clear();
  await world.pass(6_000);
  pods.end();
  await world.pass(6_000);
  pods.end();
  assert.deepEqual(
    pods.evictions.filter((name) => !name.endsWith("?")),
    ["web", "db"],
  );
  await world.pass(10_000);
  await assert.rejects(world.of(Machine).get("m"), isNotFound);
  assert.deepEqual(
    pods.list.map(({ name }) => name),
    ["log", "elsewhere"],
  );
  await world.stop();
});

test("a drain that does not end is given up when its time is over, and not before", async () => {
  const { world, pods } = await setUp();
  pods.list.push({ namespace: "apps", name: "web", node: "m" });
  pods.protected.add("web");
  await world.of(Machine).delete("m");
  await world.pass(295_000);
  assert.equal((await world.of(MetalMachine).get("m")).metadata.deletionTimestamp, undefined);
  await world.pass(10_000);
  await assert.rejects(world.of(Machine).get("m"), isNotFound);
  await world.stop();
});

test("hooks hold a Machine up until they are taken away", async () => {
  const { world, pods } = await setUp();
  pods.list.push({ namespace: "apps", name: "web", node: "m" });
  const [drain, end] = [
    "pre-drain.delete.hook.machine.cluster.x-k8s.io/a",
    "pre-terminate.delete.hook.machine.cluster.x-k8s.io/b",
  ];
  await world.of(Machine).patch("m", { metadata: { annotations: { [drain]: "", [end]: "" } } });
  await world.of(Machine).delete("m");
  await world.pass(10_000);
  assert.equal((await deleting(world)).reason, "WaitingForPreDrainHook");
  assert.deepEqual(pods.evictions, []);
  await world.of(Machine).patch("m", { metadata: { annotations: { [drain]: null } } });
  await world.pass(10_000);
  pods.end();
  await world.pass(10_000);
  assert.equal((await deleting(world)).reason, "WaitingForPreTerminateHook");
  assert.equal((await world.of(MetalMachine).get("m")).metadata.deletionTimestamp, undefined);
  await world.of(Machine).patch("m", { metadata: { annotations: { [end]: null } } });
  await world.pass(5_000);
  await assert.rejects(world.of(Machine).get("m"), isNotFound);
  await world.stop();
});
