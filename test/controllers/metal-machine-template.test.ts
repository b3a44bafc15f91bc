/** What a template says its machines will have, on an API server in this process. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createMetalMachineTemplateController } from "#controllers/metal-machine-template/controller.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";

let world: World;
afterEach(() => world.stop());

test("the least of what its class's Servers have, followed as they change; and nothing is written for what does not matter", async () => {
  world = await startWorld();
  const site = new Site(world.client);
  const hardware = (threads: number, size: number, architecture: "amd64" | "arm64" = "amd64") => ({
    spec: { hardware: { compute: { totalThreadCount: threads }, memory: { modules: [{ size }, { size }] }, architecture } },
    labels: { zone: "east" },
  });
  await site.addServer("s1", hardware(64, 8192));
  await site.addServer("s2", hardware(16, 16_384));
  await site.addServer("unknown", { labels: { zone: "east" } });
  await site.addServer("west", { ...hardware(2, 512), labels: {} });
  await site.addClass("east", { selector: { matchLabels: { zone: "east" } } });
  const templates = world.client.for(MetalMachineTemplate).in("default");
  const make = (name: string, spec: object) =>
    templates.create({ metadata: { name, namespace: "default" }, spec: { template: { spec } } });
  await make("t", { serverClassRef: { name: "east" } });
  await make("one", { serverRef: { name: "west" } });
  world.run(createMetalMachineTemplateController());
  const status = async (name = "t") => {
    await world.pass(10_000);
    return (await templates.get(name)).status;
  };
  const nodeInfo = { architecture: "amd64", operatingSystem: "linux" };
  assert.deepEqual(await status(), { capacity: { cpu: "16", memory: "16384Mi" }, nodeInfo });
  assert.deepEqual(await status("one"), { capacity: { cpu: "2", memory: "1024Mi" }, nodeInfo });

  const { length } = world.requests.filter(isWrite);
  await site.setServer("s1", { power: "on", inUse: true, isClean: false });
  await world.client.for(Server).patch("s1", { spec: { hostname: "x" } });
  await world.pass(60_000);
  assert.equal(world.requests.filter(isWrite).length, length);

  await site.addServer("arm", hardware(128, 4096, "arm64"));
  assert.deepEqual(await status(), { capacity: { cpu: "16", memory: "8192Mi" }, nodeInfo: { operatingSystem: "linux" } });
  await world.client.for(Server).patch("arm", { spec: { cordoned: true } });
  assert.deepEqual((await status())?.nodeInfo, nodeInfo);
  await world.client.for(ServerClass).patch("east", { spec: { selector: { matchLabels: { zone: "nowhere" } } } });
  assert.deepEqual(await status(), {});
});
