/** A machine gets its Server and gives it back, on a genuine API server, and on ours as `sidero up` with all of its controllers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetalClusterController } from "#controllers/metal-cluster/controller.ts";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { createServerBindingController } from "#controllers/server-binding/controller.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Client } from "#kube/client.ts";
import { createRecorder } from "#kube/events.ts";
import { silentMetrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { isAlreadyExists, isNotFound } from "#kube/status.ts";
import { connect } from "../kube/connect.ts";
import { inRealTime } from "../kube/eventually.ts";
import { createDefinitions } from "../peers/definitions.ts";
import { withoutPeer } from "../peers/locate.ts";
import { startGenuine, startSidero } from "../peers/server.ts";
import { Site } from "./infrastructure.ts";

async function scenario(client: Client): Promise<void> {
  const site = new Site(client);
  const machines = client.for(MetalMachine).in("default");
  try {
    await client.for(ServerClass).create({ metadata: { name: "any" }, spec: {} });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  await site.addCluster("c");
  await site.addServer("s1");
  await site.addMachine("m", { spec: { serverClassRef: { name: "any" } } });
  const holders = async () =>
    (await site.bindings()).map(({ metadata, spec }) => [metadata.name, spec?.metalMachineRef.name, spec?.serverClassRef?.name]);
  await inRealTime(holders, [["s1", "m", "any"]]);
  await inRealTime(async () => (await site.machine("m")).spec?.providerID, "sidero://s1");
  await inRealTime(async () => (await site.bindings())[0]?.status?.ready, true);
  await site.install("s1");
  await inRealTime(async () => (await site.machine("m")).status?.initialization?.provisioned, true);
  await site.addMachine("n", { spec: { serverClassRef: { name: "any" } } });
  await inRealTime(async () => (await site.condition("n", "Ready"))?.reason, "NoServersAvailable");
  await client.for(Machine).in("default").delete("m");
  // Where Cluster API's core runs, it may be first.
  await machines.delete("m").catch((error: unknown) => assert.ok(isNotFound(error)));
  await inRealTime(holders, [["s1", "n", "any"]]);
}

test("the genuine server", { skip: withoutPeer("refapi"), timeout: 120_000 }, async () => {
  const server = await startGenuine();
  const { client, close } = await connect(server.kubeconfig);
  const stop = new AbortController();
  const ports = { client, clock: systemClock, entropy: systemEntropy, log: silent };
  const events = createRecorder({ ...ports, component: "sidero", instance: "test" });
  const controllers = [
    createMetalClusterController(),
    createMetalMachineController({ clock: systemClock }),
    createServerBindingController(),
  ];
  const runtime = new Runtime({ ...ports, metrics: silentMetrics, events, controllers });
  await createDefinitions(client);
  const running = runtime.run(stop.signal);
  try {
    await inRealTime(async () => [runtime.isIdle, runtime.problems.size], [true, 0]);
    await scenario(client);
    assert.equal(runtime.problems.size, 0);
  } finally {
    stop.abort();
    await running;
    await close();
    await server.stop();
  }
});

test("ours, as sidero up", { timeout: 120_000 }, async () => {
  const server = await startSidero();
  const { client, close } = await connect(server.kubeconfig);
  try {
    await scenario(client);
  } finally {
    await close();
    await server.stop();
  }
});
