/** ServerBinding ready, on an API server in this process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverBindingController } from "#controllers/server-binding/controller.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { isWrite, startWorld } from "../kube/world.ts";

test("a binding is ready exactly while its Server exists, and told of other changes it writes nothing", async () => {
  const world = await startWorld();
  world.run(serverBindingController);
  const [servers, bindings] = [world.client.for(Server), world.client.for(ServerBinding)];
  const ready = async (): Promise<boolean | undefined> => {
    await world.pass(200);
    return (await bindings.get("s1")).status?.ready;
  };
  await bindings.create({ metadata: { name: "s1" }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
  assert.equal(await ready(), false);
  await servers.create({ metadata: { name: "s1" }, spec: { accepted: true } });
  assert.equal(await ready(), true);
  const { length } = world.requests.filter(isWrite);
  await servers.patch("s1", { spec: { cordoned: true } });
  await servers.create({ metadata: { name: "other" }, spec: { accepted: true } });
  assert.equal(await ready(), true);
  assert.equal(world.requests.filter(isWrite).length, length);
  await servers.delete("s1");
  assert.equal(await ready(), false);
  await world.stop();
});
