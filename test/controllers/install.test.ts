/** Proof of installation by apid, on machines that answer, are silent, or are others. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { createInstallController } from "#controllers/install/controller.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { entries, Secret } from "#kube/secret.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosDial, TalosTarget } from "#talos/api.ts";
import { printTalosconfig } from "#talos/talosconfig.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";

const NAME = "4c4c4544-0042-3510-8054-b4c04f330001";
const MAC = "52:54:00:00:00:01";

/** What is at each address: a certificate's authority, silence, or something else. */
const network = new Map<string, string>();
const neighbours = new Map<string, string>();
const asked: string[] = [];
let open = 0;

const dial: TalosDial = (target) => {
  const { endpoints, ca } = target as TalosTarget;
  const [address = ""] = endpoints;
  open++;
  const api: Partial<TalosApi> = {
    version: async () => {
      asked.push(address);
      const there = network.get(address);
      if (there === "silent") return new Promise(() => {});
      if (there !== ca)
        throw new Fault("talos.unreachable", `${address} has no certificate of this cluster`, { fault: "world", retry: "soon" });
      return { tag: "v1.13.4", arch: "amd64", platform: "metal" };
    },
    hostname: async () => "node-1",
    close: () => void open--,
  };
  return api as TalosApi;
};

let world: World | undefined;
let ca = "";
beforeEach(async () => {
  await world?.stop();
  world = await startWorld();
  network.clear();
  neighbours.clear();
  asked.length = 0;
  const hardware = { system: { uuid: NAME }, network: { interfaces: [{ mac: MAC }] } };
  await world.client.for(Server).create({ metadata: { name: NAME }, spec: { accepted: true, hardware } });
  await world.client.for(ServerBinding).create({
    metadata: { name: NAME, labels: { "cluster.x-k8s.io/cluster-name": "c" } },
    spec: { metalMachineRef: { name: "m", namespace: "default" } },
  });
  world.run(createInstallController({ dial, clock: world.clock, neighbour: async (address) => neighbours.get(address) }));
  await world.pass(100);
});
after(() => world?.stop());

async function serve(addresses: string[] = []): Promise<void> {
  const servedAt = new Date(world!.clock.now()).toISOString().replace(/\.\d+/, "");
  const configuration = { servedAt, boot: "b", order: "o", address: "10.0.0.7", ...(addresses.length > 0 && { addresses }) };
  await world!.client.for(ServerBinding).patch(NAME, { status: { configuration } }, { subresource: "status" });
}

async function access(): Promise<void> {
  const pki = createMemoryPki();
  const names = { algorithm: "ed25519", subject: [], notBefore: 0, notAfter: 1, usages: [] } as const;
  const authority = await pki.issue({ ...names, isAuthority: true });
  const client = await pki.issue({ ...names, isAuthority: false }, authority);
  ca = authority.certificate;
  const talosconfig = printTalosconfig({ name: "c", endpoints: [], ca, client });
  const secret = { metadata: { name: "c-talosconfig", namespace: "default" }, data: entries({ talosconfig }) };
  await world!.client.for(Secret).in("default").create(secret);
}

async function binding(): Promise<{ installed: string | undefined; spec: NonNullable<ServerBinding["spec"]> }> {
  const { status, spec } = await world!.client.for(ServerBinding).get(NAME);
  return { installed: status?.conditions?.find(({ type }) => type === "TalosInstalled")?.status, spec: spec! };
}

test("a machine that answers with its cluster's certificate is installed; before that it is asked again and again", async () => {
  await access();
  await world!.pass(10_000);
  assert.deepEqual(asked, [], "nobody asks a machine that has no configuration");
  await serve(["10.5.0.7"]);
  await world!.pass(12_000);
  assert.deepEqual(asked.slice(0, 2), ["10.5.0.7", "10.0.0.7"]);
  assert.equal((await binding()).installed, "False");
  network.set("10.5.0.7", ca);
  await world!.pass(6_000);
  const { installed, spec } = await binding();
  assert.deepEqual([installed, spec.addresses, spec.hostname], ["True", ["10.5.0.7"], "node-1"]);
  asked.length = 0;
  const before = world!.requests.filter(isWrite).length;
  await world!.pass(120_000);
  assert.deepEqual([asked, open], [[], 0], "and then it is left alone");
  assert.equal(world!.requests.filter(isWrite).length, before, "nothing is written in steady state");
});

test("another cluster's machine, one in maintenance, one that is silent, and another machine of this cluster prove nothing", async () => {
  await access();
  network.set("10.0.0.7", "another authority");
  await serve(["10.5.0.7"]);
  network.set("10.5.0.7", "silent");
  await world!.pass(60_000);
  assert.ok(asked.includes("10.0.0.7"), "a silent address does not keep the next from being asked");
  assert.equal((await binding()).installed, "False");
  network.set("10.0.0.7", ca);
  neighbours.set("10.0.0.7", "52:54:00:99:99:99");
  await world!.pass(30_000);
  assert.equal((await binding()).installed, "False", "the address is another machine's");
  neighbours.set("10.0.0.7", MAC);
  await world!.pass(30_000);
  assert.equal((await binding()).installed, "True");
});

test("access to the cluster may come later", async () => {
  await serve();
  await world!.pass(30_000);
  assert.deepEqual(asked, []);
  await access();
  network.set("10.0.0.7", ca);
  await world!.pass(6_000);
  assert.equal((await binding()).installed, "True");
});

test("a machine that is never heard of is overdue after half an hour, and asked more seldom", async () => {
  await access();
  await serve();
  await world!.pass(100);
  await world!.clock.advance(30 * 60_000);
  await world!.pass(1_000);
  const { status } = await world!.client.for(ServerBinding).get(NAME);
  const condition = status?.conditions?.find(({ type }) => type === "TalosInstalled");
  assert.deepEqual([condition?.reason, condition?.severity], ["TalosInstallationOverdue", "Warning"]);
  assert.match(condition?.message ?? "", /no certificate of this cluster/);
  asked.length = 0;
  await world!.clock.advance(60_000);
  assert.ok(asked.length >= 2 && asked.length <= 4, String(asked.length));
});
