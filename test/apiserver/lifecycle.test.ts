/** What happens beside the requests: custom kinds, namespaces, owners and expiry, seen through the API. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Fault } from "#std/fault.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import type { Condition, KubeObject, OwnerReference } from "#schema/meta.ts";
import { startFixture } from "./fixture.ts";
import type { Fixture, FixtureOptions } from "./fixture.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MAPS = "/api/v1/namespaces/default/configmaps";
const CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

let running: Fixture[] = [];
async function start(options?: FixtureOptions): Promise<Fixture> {
  const fixture = await startFixture(options);
  running.push(fixture);
  return fixture;
}
afterEach(async () => {
  const all = running;
  running = [];
  for (const fixture of all) await fixture.stop();
});

interface CrdOptions {
  kind?: string;
  plural?: string;
  names?: object;
  scope?: string;
  versions?: object[];
  rest?: object;
}

function schema(properties: object): object {
  return { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } };
}

function crd({
  kind = "Machine",
  plural = "machines",
  names = {},
  scope = "Namespaced",
  versions,
  rest = {},
}: CrdOptions = {}): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.lab.example.io` },
    spec: {
      group: "lab.example.io",
      scope,
      names: { plural, kind, ...names },
      versions: versions ?? [{ name: "v1", served: true, storage: true, schema: schema({ power: { type: "string" } }) }],
      ...rest,
    },
  };
}

interface Crd extends KubeObject {
  status: { conditions: Condition[]; acceptedNames: Record<string, unknown>; storedVersions: string[] };
}

function conditions(object: KubeObject): string[] {
  const { status } = object as Crd;
  return status.conditions.map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
}

function machine(name: string, metadata: object = {}, spec: object = { power: "on" }): KubeObject {
  return { apiVersion: "lab.example.io/v1", kind: "Machine", metadata: { name, ...metadata }, spec };
}
const MACHINES = "/apis/lab.example.io/v1/namespaces/default/machines";

function configMap(name: string, metadata: object = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata } };
}

function ownedBy(owner: KubeObject, more: Partial<OwnerReference> = {}): { ownerReferences: OwnerReference[] } {
  const { apiVersion, kind, metadata } = owner;
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name!, uid: metadata.uid!, ...more }] };
}

async function names(fixture: Fixture, target: string): Promise<string[]> {
  const { items } = await fixture.get<{ items: KubeObject[] }>(target);
  return items.map((item) => item.metadata.name!).filter((name) => name !== "kube-root-ca.crt");
}

test("a custom kind is served once its names are accepted, and gone after its CRD", async () => {
  const fixture = await start();
  assert.equal((await fixture.request("GET", MACHINES)).status, 404);
  await fixture.create(CRDS, crd({ names: { shortNames: ["mc"], categories: ["all"] } }));
  await fixture.idle();
  const established = await fixture.get<Crd>(`${CRDS}/machines.lab.example.io`);
  assert.deepEqual(conditions(established), ["NamesAccepted=True NoConflicts", "Established=True InitialNamesAccepted"]);
  assert.deepEqual(established.status.acceptedNames, {
    plural: "machines",
    singular: "machine",
    kind: "Machine",
    listKind: "MachineList",
    shortNames: ["mc"],
    categories: ["all"],
  });
  assert.deepEqual(established.status.storedVersions, ["v1"]);
  await fixture.create(MACHINES, machine("a"));
  assert.deepEqual(await names(fixture, MACHINES), ["a"]);

  await fixture.remove(`${CRDS}/machines.lab.example.io`);
  await fixture.idle();
  assert.equal((await fixture.request("GET", MACHINES)).status, 404);
  assert.equal((await fixture.request("GET", `${CRDS}/machines.lab.example.io`)).status, 404);
  assert.equal((await fixture.request("GET", "/apis/lab.example.io")).status, 404);
  assert.equal(fixture.store.count("lab.example.io/machines"), 0);
});

test("a CRD that is deleted waits for its objects, and takes no new ones", async () => {
  const fixture = await start({ crds: [crd()] });
  await fixture.create(MACHINES, machine("free"));
  await fixture.create(MACHINES, machine("held", { finalizers: ["example.com/hold"] }));
  const deleted = await fixture.remove<Crd>(`${CRDS}/machines.lab.example.io`);
  assert.deepEqual(deleted.metadata.finalizers, [CLEANUP]);
  await fixture.idle();
  assert.equal(
    conditions(await fixture.get(`${CRDS}/machines.lab.example.io`)).at(-1),
    "Terminating=True InstanceDeletionInProgress",
  );
  assert.deepEqual(await names(fixture, MACHINES), ["held"]);
  const refused = await fixture.request<KubeObject>("POST", MACHINES, { body: machine("new") });
  assert.equal(refused.status, 403);
  assert.equal(
    refused.json["message"],
    'machines.lab.example.io "new" is forbidden: create not allowed while custom resource definition is terminating',
  );
  const { resources } = await fixture.get<{ resources: { verbs: string[] }[] }>("/apis/lab.example.io/v1");
  assert.deepEqual(resources[0]!.verbs, ["delete", "deletecollection", "get", "list", "watch"]);
  await fixture.patch(`${MACHINES}/held`, { metadata: { finalizers: null } });
  await fixture.idle();
  assert.equal((await fixture.request("GET", `${CRDS}/machines.lab.example.io`)).status, 404);
});

test("of two CRDs that want a name the first has it, the second gets it when the first is gone", async () => {
  const fixture = await start({ crds: [crd({ names: { shortNames: ["mc"] } })] });
  await fixture.create(CRDS, crd({ plural: "others", kind: "Other", names: { shortNames: ["mc", "machine", "ot"] } }));
  await fixture.idle();
  const waiting = await fixture.get<Crd>(`${CRDS}/others.lab.example.io`);
  assert.deepEqual(conditions(waiting), ["NamesAccepted=False ShortNamesConflict", "Established=False NotAccepted"]);
  assert.equal(waiting.status.conditions[0]!.message, '["mc" is already in use, "machine" is already in use]');
  assert.equal((await fixture.request("GET", "/apis/lab.example.io/v1/others")).status, 404);
  await fixture.remove(`${CRDS}/machines.lab.example.io`);
  await fixture.idle();
  assert.deepEqual(conditions(await fixture.get(`${CRDS}/others.lab.example.io`)), [
    "NamesAccepted=True NoConflicts",
    "Established=True InitialNamesAccepted",
  ]);
  assert.equal((await fixture.request("GET", "/apis/lab.example.io/v1/others")).status, 200);
});

test("a changed schema takes effect, versions come and go", async () => {
  const fixture = await start({ crds: [crd()] });
  const first = await fixture.create<KubeObject>(MACHINES, machine("a", {}, { power: "on", speed: 5 }));
  assert.deepEqual(first["spec"], { power: "on" });
  const both = schema({ power: { type: "string" }, speed: { type: "integer" } });
  const current = await fixture.get<Crd>(`${CRDS}/machines.lab.example.io`);
  const versions = [
    { name: "v1", served: false, storage: false, schema: both },
    { name: "v2", served: true, storage: true, schema: both },
  ];
  await fixture.put(`${CRDS}/machines.lab.example.io`, { ...current, spec: { ...(current["spec"] as object), versions } });
  await fixture.idle();
  assert.deepEqual((await fixture.get<Crd>(`${CRDS}/machines.lab.example.io`)).status.storedVersions, ["v1", "v2"]);
  assert.equal((await fixture.request("GET", MACHINES)).status, 404);
  const v2 = MACHINES.replace("/v1/", "/v2/");
  const object = await fixture.get<KubeObject>(`${v2}/a`);
  assert.equal(object.apiVersion, "lab.example.io/v2");
  const changed = await fixture.patch<KubeObject>(`${v2}/a`, { spec: { speed: 7 } });
  assert.deepEqual(changed["spec"], { power: "on", speed: 7 });
});

const TWO_VERSIONS: CrdOptions = {
  versions: [
    { name: "v1", served: true, storage: true, schema: schema({ power: { type: "string" } }) },
    { name: "v1alpha1", served: true, storage: false, schema: schema({ on: { type: "boolean" } }) },
  ],
  rest: {
    conversion: {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { namespace: "default", name: "convert" } } },
    },
  },
};

test("without somebody to convert, only the stored version is served, and the CRD says so", async () => {
  const fixture = await start({ crds: [crd(TWO_VERSIONS)] });
  const versions = (await fixture.get<{ versions: { version: string }[] }>("/apis/lab.example.io")).versions;
  assert.deepEqual(
    versions.map(({ version }) => version),
    ["v1"],
  );
  const { status } = await fixture.get<Crd>(`${CRDS}/machines.lab.example.io`);
  const told = status.conditions.find((condition) => condition.type === "AllVersionsServed");
  assert.equal(told?.status, "False");
  assert.match(told.message, /conversion webhooks are not called.*: v1alpha1$/);
});

test("an extension converts and judges in process, in place of webhooks", async () => {
  const convert = (object: KubeObject, to: string): KubeObject => {
    const spec = object["spec"] as { power?: string; on?: boolean };
    return { ...object, spec: to === "v1" ? { power: spec.on === true ? "on" : "off" } : { on: spec.power === "on" } };
  };
  const validate = (object: KubeObject): { type: "FieldValueInvalid"; field: string; body: string }[] =>
    object.metadata.name === "bad" ? [{ type: "FieldValueInvalid", field: "metadata.name", body: "Invalid value" }] : [];
  const extensions = new Map([["lab.example.io/Machine", { convert, validate }]]);
  const fixture = await start({ crds: [crd(TWO_VERSIONS)], extensions });
  await fixture.create(MACHINES, machine("a"));
  const old = await fixture.get<KubeObject>(`${MACHINES.replace("/v1/", "/v1alpha1/")}/a`);
  assert.deepEqual([old.apiVersion, old["spec"]], ["lab.example.io/v1alpha1", { on: true }]);
  assert.equal((await fixture.request("POST", MACHINES, { body: machine("bad") })).status, 422);
});

test("kinds are served again after a restart, and CRDs of the program are brought up to date", async () => {
  const before = await start({ crds: [crd()] });
  await before.create(MACHINES, machine("a"));
  await before.patch(`${CRDS}/machines.lab.example.io`, { metadata: { labels: { mine: "kept" } } });
  await before.stop();
  running = [];
  const same = await start({ journal: before.journal.crash(), crds: [crd()] });
  const untouched = await same.get<Crd>(`${CRDS}/machines.lab.example.io`);
  assert.equal(untouched.metadata.generation, 1);
  assert.deepEqual(await names(same, MACHINES), ["a"]);
  await same.stop();
  running = [];
  const grown = crd({ versions: [{ name: "v1", served: true, storage: true, schema: schema({ speed: { type: "integer" } }) }] });
  const after = await start({ journal: same.journal.crash(), crds: [grown] });
  const updated = await after.get<Crd>(`${CRDS}/machines.lab.example.io`);
  assert.deepEqual([updated.metadata.generation, updated.metadata.labels], [2, { mine: "kept" }]);
  assert.deepEqual((await after.create<KubeObject>(MACHINES, machine("b", {}, { speed: 3 })))["spec"], { speed: 3 });
});

test("every cluster's namespaces are there, each with its default ServiceAccount", async () => {
  const fixture = await start();
  assert.deepEqual(await names(fixture, "/api/v1/namespaces"), ["default", "kube-node-lease", "kube-public", "kube-system"]);
  const namespace = await fixture.get<KubeObject>("/api/v1/namespaces/default");
  assert.deepEqual(namespace.metadata.labels, { "kubernetes.io/metadata.name": "default" });
  assert.deepEqual([namespace["spec"], namespace["status"]], [{ finalizers: ["kubernetes"] }, { phase: "Active" }]);
  await fixture.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
  await fixture.idle();
  const accounts = "/api/v1/namespaces/team/serviceaccounts";
  assert.deepEqual(await names(fixture, accounts), ["default"]);
  await fixture.remove(`${accounts}/default`);
  await fixture.idle();
  assert.deepEqual(await names(fixture, accounts), ["default"]);
});

test("a namespace is emptied before it goes, and tells what it waits for", async () => {
  const fixture = await start({ crds: [crd()] });
  const create = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } };
  await fixture.create("/api/v1/namespaces", create);
  const inTeam = (target: string): string => target.replace("/default/", "/team/");
  await fixture.create(inTeam(MACHINES), machine("held", { finalizers: ["example.com/hold"] }));
  await fixture.create(inTeam(MAPS), configMap("free"));
  const deleted = await fixture.remove<KubeObject>("/api/v1/namespaces/team");
  assert.deepEqual(deleted["status"], { phase: "Terminating" });
  await fixture.idle();
  const waiting = await fixture.get<KubeObject>("/api/v1/namespaces/team");
  assert.deepEqual(conditions(waiting).slice(-2), [
    "NamespaceContentRemaining=True SomeResourcesRemain",
    "NamespaceFinalizersRemaining=True SomeFinalizersRemain",
  ]);
  const messages = (waiting as Crd).status.conditions.slice(-2).map((condition) => condition.message);
  assert.deepEqual(messages, [
    "Some resources are remaining: machines.lab.example.io has 1 resource instances",
    "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
  ]);
  assert.deepEqual(await names(fixture, inTeam(MAPS)), []);
  assert.equal((await fixture.request("POST", inTeam(MAPS), { body: configMap("late") })).status, 403);
  await fixture.patch(`${inTeam(MACHINES)}/held`, { metadata: { finalizers: null } });
  await fixture.clock.advance(100);
  await fixture.idle();
  assert.equal((await fixture.request("GET", "/api/v1/namespaces/team")).status, 404);
  await fixture.create("/api/v1/namespaces", create);
});

test("dependents go after their owner, not while they have another", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  const other = await fixture.create<KubeObject>(MAPS, configMap("other"));
  const both = { ownerReferences: [...ownedBy(owner).ownerReferences, ...ownedBy(other).ownerReferences] };
  const child = await fixture.create<KubeObject>(MAPS, configMap("child", ownedBy(owner)));
  await fixture.create(MAPS, configMap("grandchild", ownedBy(child)));
  await fixture.create(MAPS, configMap("shared", both));
  await fixture.remove(`${MAPS}/owner`);
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["other", "shared"]);
  assert.deepEqual((await fixture.get<KubeObject>(`${MAPS}/shared`)).metadata.ownerReferences, ownedBy(other).ownerReferences);
  await fixture.remove(`${MAPS}/other`);
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), []);
});

test("in the foreground an owner outlives the dependents that block it", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  const held = { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ["example.com/hold"] };
  const blocking = await fixture.create<KubeObject>(MAPS, configMap("blocking", held));
  await fixture.create(MAPS, configMap("below", ownedBy(blocking, { blockOwnerDeletion: true })));
  await fixture.create(MAPS, configMap("loose", ownedBy(owner)));
  const waiting = await fixture.remove<KubeObject>(`${MAPS}/owner`, { propagationPolicy: "Foreground" });
  assert.deepEqual(waiting.metadata.finalizers, ["foregroundDeletion"]);
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["blocking", "owner"]);
  await fixture.patch(`${MAPS}/blocking`, { metadata: { finalizers: null } });
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), []);
});

test("in the foreground dependents that do not block go too, even if the owner stays for another reason", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner", { finalizers: ["example.com/hold"] }));
  await fixture.create(MAPS, configMap("loose", ownedBy(owner)));
  await fixture.remove(`${MAPS}/owner`);
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["loose", "owner"]);
  await fixture.remove(`${MAPS}/owner`, { propagationPolicy: "Foreground" });
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["owner"]);
});

test("a dependent that stops blocking lets its owner go", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  const held = { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ["example.com/hold"] };
  await fixture.create(MAPS, configMap("blocking", held));
  await fixture.remove(`${MAPS}/owner`, { propagationPolicy: "Foreground" });
  await fixture.idle();
  await fixture.patch(`${MAPS}/blocking`, { metadata: ownedBy(owner, { blockOwnerDeletion: false }) });
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["blocking"]);
});

test("an object that owns itself goes, whatever the policy", async () => {
  const fixture = await start();
  for (const propagationPolicy of ["Background", "Foreground", "Orphan"]) {
    const self = await fixture.create<KubeObject>(MAPS, configMap("self"));
    await fixture.patch(`${MAPS}/self`, { metadata: ownedBy(self, { blockOwnerDeletion: true }) });
    await fixture.remove(`${MAPS}/self`, { propagationPolicy });
    await fixture.idle();
    assert.deepEqual(await names(fixture, MAPS), [], propagationPolicy);
  }
});

test("owners that block one another in a circle all go", async () => {
  const fixture = await start();
  const first = await fixture.create<KubeObject>(MAPS, configMap("first"));
  const second = await fixture.create<KubeObject>(MAPS, configMap("second", ownedBy(first, { blockOwnerDeletion: true })));
  await fixture.patch(`${MAPS}/first`, { metadata: ownedBy(second, { blockOwnerDeletion: true }) });
  await fixture.remove(`${MAPS}/first`, { propagationPolicy: "Foreground" });
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), []);
});

test("an owner that orphans its dependents lets them go first", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  await fixture.create(MAPS, configMap("child", ownedBy(owner)));
  await fixture.remove(`${MAPS}/owner`, { propagationPolicy: "Orphan" });
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["child"]);
  assert.equal((await fixture.get<KubeObject>(`${MAPS}/child`)).metadata.ownerReferences, undefined);
});

test("an owner that is not there, or is another, is no owner; one that nobody can look up may be", async () => {
  const fixture = await start({ crds: [crd({ scope: "Cluster" })] });
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  await fixture.create(MAPS, configMap("wrong-uid", ownedBy(owner, { uid: "6f9ad24c-9e4b-4f0e-8f6c-000000000000" })));
  await fixture.create(MAPS, configMap("wrong-name", ownedBy(owner, { name: "nobody" })));
  await fixture.create(MAPS, configMap("unknown-kind", ownedBy(owner, { apiVersion: "apps/v1", kind: "Deployment" })));
  await fixture.create(MAPS.replace("/default/", "/kube-public/"), configMap("elsewhere", ownedBy(owner)));
  await fixture.create("/apis/lab.example.io/v1/machines", machine("cluster-scoped", ownedBy(owner)));
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), ["owner", "unknown-kind"]);
  assert.deepEqual(await names(fixture, MAPS.replace("/default/", "/kube-public/")), []);
  assert.deepEqual(await names(fixture, "/apis/lab.example.io/v1/machines"), ["cluster-scoped"]);
});

test("dependents are collected although their owner's kind went with it", async () => {
  const fixture = await start({ crds: [crd()] });
  const owner = await fixture.create<KubeObject>(MACHINES, machine("owner"));
  for (let i = 0; i < 100; i++) await fixture.create(MAPS, configMap(`child-${i}`, ownedBy(owner)));
  await fixture.remove(`${CRDS}/machines.lab.example.io`);
  await fixture.idle();
  assert.deepEqual(await names(fixture, MAPS), []);
});

test("what was missed while nothing ran is made up for at the start", async () => {
  const before = await start();
  const owner = await before.create<KubeObject>(MAPS, configMap("owner"));
  await before.create(MAPS, configMap("child", ownedBy(owner)));
  await before.server.stop();
  await before.remove(`${MAPS}/owner`);
  assert.deepEqual(await names(before, MAPS), ["child"]);
  const after = await start({ journal: before.journal.crash() });
  assert.deepEqual(await names(after, MAPS), []);
});

test("what a full disk prevents is tried again", async () => {
  const fixture = await start();
  const owner = await fixture.create<KubeObject>(MAPS, configMap("owner"));
  await fixture.create(MAPS, configMap("child", ownedBy(owner)));
  const full = new Fault("io.no-space", "the disk is full", { fault: "world", retry: "later" });
  const end = fixture.store.subscribe("/configmaps", () => (fixture.journal.refusal = full));
  await fixture.remove(`${MAPS}/owner`);
  await fixture.clock.advance(1000);
  end();
  assert.deepEqual(await names(fixture, MAPS), ["child"]);
  fixture.journal.refusal = undefined;
  await fixture.clock.advance(60_000);
  assert.deepEqual(await names(fixture, MAPS), []);
});

const EVENTS = "/api/v1/namespaces/default/events";

function event(name: string, rest: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "default" },
    involvedObject: { kind: "ConfigMap", namespace: "default", name: "a" },
    reason: "Tested",
    type: "Normal",
    ...rest,
  };
}

test("events live for an hour after they were last written", async () => {
  const fixture = await start();
  await fixture.create(EVENTS, event("old"));
  await fixture.create(EVENTS, event("renewed"));
  await fixture.clock.advance(30 * 60_000);
  await fixture.patch(`${EVENTS}/renewed`, { message: "again" });
  await fixture.clock.advance(31 * 60_000);
  await fixture.idle();
  assert.deepEqual(await names(fixture, EVENTS), ["renewed"]);
  await fixture.clock.advance(31 * 60_000);
  await fixture.idle();
  assert.deepEqual(await names(fixture, EVENTS), []);
});

test("a restart does not give events a new life", async () => {
  const clock = new VirtualClock();
  const first = await start({ clock });
  const at = (minutes: number): string => new Date(clock.now() + minutes * 60_000).toISOString();
  await first.create(EVENTS, event("young", { lastTimestamp: at(40) }));
  await first.create(EVENTS, event("old", { firstTimestamp: at(-600), lastTimestamp: at(-500) }));
  await first.create(EVENTS, event("repeated", { series: { count: 2, lastObservedTime: at(20).replace("Z", "000Z") } }));
  await first.create(EVENTS, event("undated"));
  await first.create(EVENTS, event("to-come", { lastTimestamp: at(100_000) }));
  await clock.advance(50 * 60_000);
  await first.stop();
  const second = await start({ clock, journal: first.journal.crash() });
  assert.deepEqual(await names(second, EVENTS), ["old", "repeated", "to-come", "undated", "young"]);
  for (const [minutes, left] of [
    [11, ["repeated", "to-come", "young"]],
    [20, ["to-come", "young"]],
    [20, ["to-come"]],
    [20, []],
  ] as const) {
    await clock.advance(minutes * 60_000);
    await second.idle();
    assert.deepEqual(await names(second, EVENTS), left);
  }
});
