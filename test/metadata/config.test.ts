/** `/configdata` with everything it is made of in an API: upstream's chain and codes, patches, and what is put on record. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { Secret } from "#kube/secret.ts";
import { CONFIG, configIn, numbered, type HeldMachine } from "./held.ts";
import { hold, order, script, startWorld, type World } from "./world.ts";

let world: World;
let next = 1;
before(async () => {
  world = await startWorld();
});
after(() => world.stop());

/** A machine that has just been told to boot its Environment, and the URL that its script names. */
async function booted(holding: Parameters<typeof hold>[2] = {}): Promise<{ machine: HeldMachine; url: string }> {
  const machine = numbered(next++);
  await hold(world, machine, holding);
  const url = configIn(await script(world, machine), machine.uuid);
  assert.ok(url, "a token in the script");
  return { machine, url };
}

test("the configuration as it was written, with the node's label and provider id; and on record who has it", async () => {
  const { machine, url } = await booted();
  const { status, text } = await world.ask(url, machine.address);
  const args = `    kubelet:\n        extraArgs:\n            node-labels: metal.sidero.dev/uuid=${machine.uuid}\n            provider-id: sidero://${machine.uuid}\n`;
  assert.deepEqual([status, text], [200, CONFIG.replace("[1, 2] }\n", `[ 1, 2 ] }\n${args}`)]);
  const { status: record } = await world.client.for(ServerBinding).get(machine.uuid);
  const { action } = (await world.client.for(Server).get(machine.uuid)).status!;
  const { boot, servedAt, ...rest } = record!.configuration!;
  assert.deepEqual(rest, { order: action!.id, address: machine.address });
  assert.match(boot, /^[0-9a-f-]{36}$/);
  assert.ok(Date.parse(servedAt) <= world.clock.now());
  assert.ok(world.sightings.some(({ what, of }) => what === "config.served" && of.server === machine.uuid));

  const { metadata } = await world.client.for(ServerBinding).get(machine.uuid);
  assert.equal((await world.ask(url, machine.address)).status, 200, "Talos asks again when it could not use it");
  const again = await world.client.for(ServerBinding).get(machine.uuid);
  assert.equal(again.metadata.resourceVersion, metadata.resourceVersion, "the same answer to the same boot is no news");
});

test("patches of the class and then of the Server, JSON before strategic, on several documents", async () => {
  const patch = (level: string) => ({
    configPatches: [
      { op: "add", path: "/machine/json", value: level },
      { op: "add", path: `/machine/${level}`, value: true },
    ],
    strategicPatches: [`machine:\n  sysctls:\n    ${level}: "1"\n    both: ${level}\n`],
  });
  const documents = "apiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: e\n";
  const spec = { environmentRef: { name: "default" }, ...patch("class") };
  await world.client.for(ServerClass).create({
    metadata: { name: "worker" },
    spec: { ...spec, strategicPatches: [...spec.strategicPatches, documents] } as never,
  });
  const { machine, url } = await booted({ className: "worker", spec: patch("own") as never });
  const { status, text } = await world.ask(url, machine.address);
  assert.equal(status, 200, text);
  assert.match(text, /novel: \{ a: \[ ?1, 2 ?\] \}\n/);
  assert.match(text, /\n {4}json: own\n {4}class: true\n/);
  assert.match(text, /\n {4}own: true\n/);
  assert.match(text, /both: own\n/);
  assert.ok(text.includes("---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable # as it is\n---\n"), text);
  assert.ok(text.endsWith(documents), "a document of another kind is added");
});

test("a patch that is changed counts at once", async () => {
  const { machine, url } = await booted();
  await world.client.for(Server).patch(machine.uuid, { spec: { strategicPatches: ["machine:\n  now: 1\n"] } });
  await world.settle();
  assert.match((await world.ask(url, machine.address)).text, /now: 1/);
});

test("what is missing has upstream's code, and what cannot be made says where without telling what", async () => {
  const { client } = world;
  const cases: readonly (readonly [
    what: string,
    status: number,
    because: RegExp,
    spoil: (name: string, uuid: string) => Promise<unknown>,
  ])[] = [
    [
      "no Machine owns it",
      500,
      /no Machine for an owner/,
      (name) =>
        client
          .for(MetalMachine)
          .in("default")
          .patch(name, { metadata: { ownerReferences: null } }),
    ],
    [
      "the Machine is gone, and the MetalMachine with it",
      500,
      /no Metal|no Machine default/,
      (name) => client.for(Machine).in("default").delete(name),
    ],
    [
      "no bootstrap data so far",
      404,
      /no bootstrap data yet/,
      (name) =>
        client
          .for(Machine)
          .in("default")
          .patch(name, {
            spec: {
              bootstrap: {
                dataSecretName: null,
                configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name: "x" },
              },
            },
          }),
    ],
    ["the Secret is gone", 404, /is not there/, (name) => client.for(Secret).in("default").delete(`${name}-data`)],
    [
      "the Secret has no value",
      404,
      /is not there/,
      (name) =>
        client
          .for(Secret)
          .in("default")
          .patch(`${name}-data`, { data: { value: null } }),
    ],
    ["the MetalMachine is gone", 500, /no MetalMachine default/, (name) => client.for(MetalMachine).in("default").delete(name)],
    [
      "a patch that does not apply",
      500,
      /configPatches of Server .*operation 1 \(add \/machine\/nowhere\/deep\)/,
      (_, uuid) =>
        client
          .for(Server)
          .patch(uuid, { spec: { configPatches: [{ op: "add", path: "/machine/nowhere/deep", value: "secret.value" }] } }),
    ],
    [
      "a strategic patch of the wrong shape",
      500,
      /strategicPatches\[0\] of Server/,
      (_, uuid) => client.for(Server).patch(uuid, { spec: { strategicPatches: ["machine: secret.value\n"] } }),
    ],
  ];
  for (const [what, status, because, spoil] of cases) {
    const { machine, url } = await booted();
    await spoil(`m-${machine.uuid.slice(-4)}`, machine.uuid);
    await world.settle();
    const answer = await world.ask(url, machine.address);
    assert.deepEqual([answer.status, because.test(answer.text)], [status, true], `${what}: ${answer.status} ${answer.text}`);
    assert.doesNotMatch(answer.text, /secret\./, what);
    const record = (await client.for(ServerBinding).get(machine.uuid)).status;
    assert.equal(record?.configuration, undefined, "nothing was sent");
  }
  const { machine, url } = await booted();
  await client
    .for(Secret)
    .in("default")
    .patch(`m-${machine.uuid.slice(-4)}-data`, { data: { value: "a2luZDogU2VjcmV0Cg==" } });
  assert.match((await world.ask(url, machine.address)).text, /no configuration of Talos/);
  assert.equal((await world.ask("/configdata?uuid=", "10.0.0.9")).status, 500);
  for (const told of await world.events()) assert.doesNotMatch(told, /secret\./);
  for (const { text } of world.sightings) assert.doesNotMatch(text, /secret\./);
});

test("a machine that has had its configuration boots from its disk, and is installed anew only by order", async () => {
  const { machine, url } = await booted();
  assert.equal((await world.ask(url, machine.address)).status, 200);
  await world.settle();
  const text = await script(world, machine);
  assert.match(text, /its configuration was sent to it, so it installed itself and booted again/);
  assert.match(text, /exit/);
  await world.clock.advance(5_000);
  await order(world, machine.uuid);
  const anew = configIn(await script(world, machine), machine.uuid);
  assert.ok(anew !== undefined && anew !== url);
  assert.equal((await world.ask(url, machine.address)).status, 403, "the old token is of another boot");
  assert.equal((await world.ask(anew, machine.address)).status, 200);
});

test("with SideroLink: its arguments and documents carry a token of the boot, the same however often it asks", async () => {
  const linked = await startWorld({ link: "[fdae::1]" });
  const machine = numbered(1);
  await hold(linked, machine);
  const text = await script(linked, machine);
  const [, token] =
    / siderolink\.api=grpc:\/\/10\.0\.0\.1:8081\?jointoken=([\w-]{100,}) talos\.logging\.kernel=tcp:\/\/\[fdae::1\]:4001 /.exec(
      text,
    ) ?? [];
  assert.ok(token !== undefined, text);
  const url = configIn(text, machine.uuid)!;
  const answer = await linked.ask(url, machine.address);
  assert.ok(
    answer.text.endsWith(
      `auto: stable # as it is\n---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://10.0.0.1:8081?jointoken=${token}\n---\napiVersion: v1alpha1\nkind: EventSinkConfig\n` +
        `endpoint: "[fdae::1]:4002"\n---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote-log\nurl: tcp://[fdae::1]:4001\n`,
    ),
    answer.text,
  );
  assert.deepEqual(await linked.ask(url, machine.address), answer);
  await linked.stop();
});
