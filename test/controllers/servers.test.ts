/**
 * The same controllers on every server there is: ours in this process under a virtual clock, the genuine one over the network, and
 * ours as `sidero up` with its own. On the genuine one they are started before their kinds exist.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerBindingController } from "#controllers/server-binding/controller.ts";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Client } from "#kube/client.ts";
import { createRecorder } from "#kube/events.ts";
import { silentMetrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { connect } from "../kube/connect.ts";
import { type Eventually, inRealTime, patience } from "../kube/eventually.ts";
import { startWorld } from "../kube/world.ts";
import { createDefinitions } from "../peers/definitions.ts";
import { withoutPeer } from "../peers/locate.ts";
import { startGenuine, startSidero } from "../peers/server.ts";

/** What an operator does, and what must come of it. */
async function scenario(client: Client, eventually: Eventually): Promise<void> {
  const [servers, classes, bindings] = [client.for(Server), client.for(ServerClass), client.for(ServerBinding)];
  const lists = (name: string) => async () => {
    const { status } = await classes.get(name);
    return [status?.serversAvailable, status?.serversInUse];
  };
  const ready = async (): Promise<unknown> => (await bindings.get("s2")).status?.ready;

  await eventually(lists("any"), [[], []]);
  await bindings.create({ metadata: { name: "s2" }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
  await classes.create({
    metadata: { name: "qemu" },
    spec: { qualifiers: { hardware: [{ system: { manufacturer: "QEMU" } }] } },
  });
  await eventually(ready, false);
  for (const [name, manufacturer] of Object.entries({ s1: "QEMU", s2: "QEMU", s3: "Other" })) {
    await servers.create({ metadata: { name }, spec: { accepted: true, hardware: { system: { manufacturer } } } });
  }
  await eventually(lists("qemu"), [["s1", "s2"], []]);
  await eventually(ready, true);

  const held = await servers.get("s2");
  await servers.update({ ...held, status: { inUse: true } }, { subresource: "status" });
  await servers.patch("s1", { spec: { cordoned: true } });
  await eventually(lists("qemu"), [[], ["s2"]]);
  await eventually(lists("any"), [["s3"], ["s2"]]);

  await classes.patch("any", { spec: { qualifiers: { labelSelectors: [{ no: "where" }] } } });
  await eventually(async () => (await classes.get("any")).spec, {});
  await classes.delete("any");
  await eventually(() => lists("any")().catch(() => "gone"), [["s3"], ["s2"]]);
  await servers.delete("s2");
  await eventually(ready, false);
  await eventually(lists("qemu"), [[], []]);
}

test("ours, in this process", async () => {
  const world = await startWorld();
  world.run(createServerClassController(), createServerBindingController());
  await scenario(
    world.client,
    patience(() => world.pass(50)),
  );
  await world.stop();
});

test("the genuine server", { skip: withoutPeer("refapi"), timeout: 60_000 }, async () => {
  const server = await startGenuine();
  const { client, close } = await connect(server.kubeconfig);
  const stop = new AbortController();
  const ports = { client, clock: systemClock, entropy: systemEntropy, log: silent };
  const events = createRecorder({ ...ports, component: "sidero", instance: "test" });
  const controllers = [createServerClassController(), createServerBindingController()];
  const runtime = new Runtime({ ...ports, metrics: silentMetrics, events, controllers });
  const running = runtime.run(stop.signal);
  try {
    await inRealTime(async () => runtime.problems.get("Server.metal.sidero.dev/v1alpha2"), "HTTP 404: 404 page not found");
    await createDefinitions(client);
    await scenario(client, inRealTime);
    assert.equal(runtime.problems.size, 0);
  } finally {
    stop.abort();
    await running;
    await close();
    await server.stop();
  }
});

test("ours, as sidero up", { timeout: 60_000 }, async () => {
  const server = await startSidero();
  const { client, close } = await connect(server.kubeconfig);
  try {
    await scenario(client, inRealTime);
  } finally {
    await close();
    await server.stop();
  }
});
