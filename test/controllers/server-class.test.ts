/** ServerClass membership on an API server in this process, under a virtual clock. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import { Roster } from "#controllers/server-class/roster.ts";
import { membershipOf } from "#decide/server-class.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { KubeEvent } from "#kube/events.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";

let world: World;
afterEach(() => world.stop());

type ServerSpec = NonNullable<Server["spec"]>;
type ClassSpec = NonNullable<ServerClass["spec"]>;

const addServer = (name: string, labels: Record<string, string> = {}, spec: Partial<ServerSpec> = {}): Promise<Server> =>
  world.client.for(Server).create({ metadata: { name, labels }, spec: { accepted: true, ...spec } });
const addClass = (name: string, spec: ClassSpec = {}): Promise<ServerClass> =>
  world.client.for(ServerClass).create({ metadata: { name }, spec });
const zone = (value: string): ClassSpec => ({ selector: { matchLabels: { zone: value } } });

async function lists(name: string): Promise<[available: string[] | undefined, inUse: string[] | undefined]> {
  const { status } = await world.client.for(ServerClass).get(name);
  return [status?.serversAvailable, status?.serversInUse];
}

test("membership follows Servers and classes", async () => {
  world = await startWorld();
  await addServer("b", { zone: "east" });
  await addServer("a", { zone: "east" });
  await addServer("stranger", { zone: "east" }, { accepted: false });
  await addClass("east", zone("east"));
  world.run(createServerClassController());
  await world.pass(500);
  assert.deepEqual(await lists("east"), [["a", "b"], []]);
  assert.deepEqual(await lists("any"), [["a", "b"], []]);

  const servers = world.client.for(Server);
  const a = await servers.get("a");
  await servers.update({ ...a, status: { inUse: true } }, { subresource: "status" });
  await servers.patch("stranger", { spec: { accepted: true } });
  await addServer("c", { zone: "west" });
  await world.pass(500);
  assert.deepEqual(await lists("east"), [["b", "stranger"], ["a"]]);
  assert.deepEqual(await lists("any"), [["b", "c", "stranger"], ["a"]]);

  await servers.patch("b", { spec: { cordoned: true } });
  await servers.delete("stranger");
  await world.client.for(ServerClass).patch("east", { spec: zone("west") });
  await world.pass(500);
  assert.deepEqual(await lists("east"), [["c"], []]);
  assert.deepEqual(await lists("any"), [["c"], ["a"]]);
});

test("the class any is made, made again, and freed of qualifiers; a selector set on it stays", async () => {
  world = await startWorld();
  await addServer("a", { zone: "east" });
  await addServer("b");
  world.run(createServerClassController());
  await world.pass(500);
  assert.deepEqual(await lists("any"), [["a", "b"], []]);

  const classes = world.client.for(ServerClass);
  await classes.delete("any");
  await world.pass(500);
  assert.deepEqual(await lists("any"), [["a", "b"], []]);

  await classes.patch("any", { spec: { ...zone("east"), qualifiers: { labelSelectors: [{ no: "where" }] } } });
  await world.pass(500);
  const any = await classes.get("any");
  assert.equal(any.spec?.qualifiers, undefined);
  assert.deepEqual(any.spec?.selector, { matchLabels: { zone: "east" } });
  assert.deepEqual(await lists("any"), [["a"], []]);
});

test("a selector that does not parse selects nobody and is told as an Event", async () => {
  world = await startWorld();
  await addServer("a");
  // As stored before anyone checked selectors: our own server would refuse it.
  const odd = {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "ServerClass",
    metadata: { name: "odd", uid: "u-odd" },
    spec: { selector: { matchExpressions: [{ key: "zone", operator: "Within" }] } },
  };
  await world.fixture.store.write({ resource: "metal.sidero.dev/serverclasses", namespace: "", name: "odd" }, undefined, odd);
  world.run(createServerClassController());
  await world.pass(1000);
  assert.deepEqual(await lists("odd"), [[], []]);
  const { items } = await world.client.for(KubeEvent).in("default").list();
  const told = items.find((event) => event.involvedObject.name === "odd");
  assert.deepEqual([told?.type, told?.reason], ["Warning", "InvalidSelector"]);
  assert.match(told!.message, /not a valid selector operator/);
});

test("where: hardware in numbers decides, and a Server of which it cannot be told is named", async () => {
  world = await startWorld();
  const gib = (size: number): Partial<ServerSpec> => ({ hardware: { memory: { modules: [{ size: size * 1024 }] } } });
  await addServer("large", { zone: "east" }, gib(256));
  await addServer("small", { zone: "east" }, gib(32));
  await addServer("unknown", { zone: "east" });
  await addServer("unlabelled", {}, gib(256));
  await addClass("large", { where: "memory.totalSize >= quantity('128Gi')" });
  await addClass("zoned", { where: "labels['zone'] == 'east' && memory.totalSize > 0" });
  await addClass("named", { where: "hostname == 'node-1'" });
  world.run(createServerClassController());
  await world.pass(1000);
  assert.deepEqual(await lists("large"), [["large", "unlabelled"], []]);
  assert.deepEqual(await lists("zoned"), [["large", "small"], []]);
  const { items } = await world.client.for(KubeEvent).in("default").list();
  const told = items.filter((event) => event.involvedObject.kind === "ServerClass" && event.reason === "WhereFailed");
  assert.deepEqual([...new Set(told.map((event) => event.involvedObject.name))], ["zoned"]);
  assert.match(
    told[0]!.message,
    /^spec\.where cannot be told of Server unlabelled, which is left out: line 1, column \d+: .*zone/,
  );

  const servers = world.client.for(Server);
  await servers.patch("small", { spec: gib(512) });
  await servers.patch("large", { spec: { hostname: "node-1" } });
  await servers.patch("unlabelled", { metadata: { labels: { zone: "east" } } });
  await world.pass(1000);
  assert.deepEqual(await lists("large"), [["large", "small", "unlabelled"], []]);
  assert.deepEqual(await lists("named"), [["large"], []]);
  assert.deepEqual(await lists("zoned"), [["large", "small", "unlabelled"], []]);
  await world.client.for(ServerClass).patch("large", { spec: { where: "memory.totalSize >= quantity('512Gi')" } });
  await world.pass(1000);
  assert.deepEqual(await lists("large"), [["small"], []]);
});

test("nothing is written when nothing changes", async () => {
  world = await startWorld();
  await addServer("a");
  const process = world.run(createServerClassController());
  await world.pass(500);
  const { length } = world.requests.filter(isWrite);
  await world.client.for(Server).patch("a", { spec: { hostname: "renamed" } });
  await world.client.for(ServerClass).patch("any", { metadata: { labels: { seen: "true" } } });
  await world.pass(120_000);
  await process.kill();
  world.run(createServerClassController());
  await world.pass(500);
  assert.deepEqual(world.requests.filter(isWrite).slice(length), []);
});

test("O(changed servers): one change of 10,000 Servers asks each of 50 classes once and writes only those it is in", async () => {
  world = await startWorld();
  const { store } = world.fixture;
  const put = (plural: string, kind: string, name: string, rest: object): Promise<unknown> =>
    store.write({ resource: `metal.sidero.dev/${plural}`, namespace: "", name }, undefined, {
      apiVersion: "metal.sidero.dev/v1alpha2",
      kind,
      metadata: { name, uid: `u-${name}`, generation: 1, labels: { zone: `z${name.slice(-2)}` } },
      ...rest,
    });
  const name = (i: number): string => `s${String(i).padStart(6, "0")}`;
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => put("servers", "Server", name(i), { spec: { accepted: true } })));
  await Promise.all(
    Array.from({ length: 49 }, (_, i) =>
      put("serverclasses", "ServerClass", `c${i}`, { spec: zone(`z${String(i).padStart(2, "0")}`) }),
    ),
  );

  let asked = 0;
  const counting = (className: string, spec: ServerClass["spec"]): ReturnType<typeof membershipOf> => {
    const membership = membershipOf(className, spec);
    return {
      ...membership,
      placeOf(server) {
        asked++;
        return membership.placeOf(server);
      },
    };
  };
  world.run(createServerClassController(new Roster(counting)));
  await world.pass(2000);
  assert.equal(asked, 50 * 10_000);
  assert.deepEqual((await lists("c7"))[0]?.length, 100);

  const measured = async (change: () => Promise<unknown>): Promise<{ asked: number; writes: string[] }> => {
    const [before, { length }] = [asked, world.requests];
    await change();
    // A class of 10,000 is written once a second at most.
    await world.pass(1500);
    return {
      asked: asked - before,
      writes: world.requests
        .slice(length)
        .filter(isWrite)
        .map((line) => line.split("/")[5]!)
        .toSorted(),
    };
  };
  const servers = world.client.for(Server);
  assert.deepEqual(await measured(() => servers.patch(name(7), { spec: { cordoned: true } })), {
    asked: 50,
    writes: ["any", "c7"],
  });
  // Relabelled: in two classes the lists change, in `any` they do not.
  const moved = await measured(() => servers.patch(name(8), { metadata: { labels: { zone: "z09" } } }));
  assert.deepEqual(moved, { asked: 50, writes: ["c8", "c9"] });
  // Nothing that classes look at.
  assert.deepEqual(await measured(() => servers.patch(name(9), { spec: { hostname: "x" } })), { asked: 0, writes: [] });
  // A class that changes is asked about every Server once; one whose rules stay is not.
  const classes = world.client.for(ServerClass);
  assert.deepEqual(await measured(() => classes.patch("c3", { spec: zone("z04") })), { asked: 10_000, writes: ["c3"] });
  assert.deepEqual(await measured(() => classes.patch("c3", { metadata: { labels: { a: "b" } } })), { asked: 0, writes: [] });
  // A burst is one write per class.
  const burst = await measured(() =>
    Promise.all(Array.from({ length: 100 }, (_, i) => servers.patch(name(100 * i + 5), { spec: { cordoned: true } }))),
  );
  assert.deepEqual(burst, { asked: 50 * 100, writes: ["any", "c5"] });
});
