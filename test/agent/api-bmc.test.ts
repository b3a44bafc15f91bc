/** Who may say where a Server's BMC is, and what has to be true before it counts: over the real port, the API and its Secrets. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import type { BmcLogin } from "#agent/api/bmc-prover.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { KubeEvent } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { BmcRefusal_Reason, BmcRefusalSchema, BmcStanding, StepSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { MAC, UUID, registration, startApi } from "./api-fixture.ts";
import type { ApiFixture, ApiFixtureOptions, Calls } from "./api-fixture.ts";

interface Secret extends KubeObject {
  readonly data?: Record<string, string>;
}
const Secret = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

let fixture: ApiFixture;
afterEach(() => fixture.stop());

/** A BMC that takes these passwords, and from some address on nobody gets through. */
function bmc(passwords: Record<string, string>): { logins: BmcLogin[]; prove: (login: BmcLogin) => Promise<void> } {
  const logins: BmcLogin[] = [];
  const fault = (code: string, message: string): Fault => new Fault(code, message, { fault: "world", retry: "soon" });
  return {
    logins,
    prove: async (login) => {
      logins.push(login);
      if (login.address !== "10.1.0.5") throw fault("bmc.unreachable", "no answer");
      if (passwords[login.user] !== login.password) throw fault("bmc.denied", "unauthorized name");
    },
  };
}

async function accepted(options: ApiFixtureOptions = {}): Promise<Calls> {
  fixture = await startApi({ neighbours: { "127.0.0.1": MAC }, settings: { autoAccept: true }, ...options });
  const calls = fixture.calls(fixture.token({ uuid: UUID, mac: MAC }));
  await calls.machine.hello({ uuid: UUID, macs: [MAC] });
  return calls;
}

const server = (): Promise<Server> => fixture.world.client.for(Server).get(UUID);
const update = ({ agent }: Calls, bmcInfo: object): Promise<unknown> => agent.updateBMCInfo({ uuid: UUID, bmcInfo });
const ACCOUNT = { ip: "10.1.0.5", port: 6230, user: "sidero", pass: "s3cret" };

async function secret(): Promise<Record<string, string>> {
  const { data = {} } = await fixture.world.client.for(Secret).in("default").get(`${UUID}-bmc`);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, atob(value)]));
}

async function refused(call: Promise<unknown>, code: Code, text: RegExp): Promise<ConnectError> {
  const error = await call.then(
    () => assert.fail("was not refused"),
    (reason: unknown) => ConnectError.from(reason),
  );
  assert.equal(Code[error.code], Code[code], error.rawMessage);
  assert.match(error.rawMessage, text);
  return error;
}

async function events(): Promise<string[]> {
  await fixture.settle();
  const { items } = await fixture.world.client.for(KubeEvent).in("default").list();
  return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

test("nobody sets up what was not asked for: no call before registration has, none from an order that is over", async () => {
  const calls = await accepted({ settings: { autoAccept: true, autoBmcSetup: false } });
  assert.equal((await calls.agent.createServer(registration())).setupBmc, false);
  const nobody = /nobody asked this boot/;
  await refused(update(calls, ACCOUNT), Code.FailedPrecondition, nobody);
  await refused(calls.machine.offerBmc({ addresses: [{ ip: "10.1.0.5" }] }), Code.FailedPrecondition, nobody);
  await refused(calls.machine.prepareBmc({ user: "sidero", pass: "x" }), Code.FailedPrecondition, nobody);
  assert.equal((await server()).spec?.bmc, undefined);
  assert.deepEqual(fixture.refusals, ["agent.not-ordered", "agent.not-ordered", "agent.not-ordered"]);
  assert.ok((await events()).some((line) => line.startsWith("Warning BMC Update: BMC set-up from 127.0.0.1 was refused")));
});

test("an order opens the calls until it is answered", async () => {
  const calls = await accepted({ settings: { autoAccept: true, autoBmcSetup: false } });
  await calls.agent.createServer(registration());
  const stop = new AbortController();
  const sent = (async () => {
    for await (const { id, kind } of calls.machine.orders({}, { signal: stop.signal })) if (kind.case === "setupBmc") return id;
    return assert.fail("no order");
  })();
  while (fixture.api.orders.connected().length === 0) await fixture.settle();
  fixture.api.orders.send(UUID, "setupBmc");
  const order = await sent;
  assert.equal((await calls.machine.offerBmc({ order, addresses: [{ ip: "10.1.0.5" }] })).standing, BmcStanding.NONE);
  await update(calls, ACCOUNT);
  await calls.machine.report({ steps: [create(StepSchema, { name: "bmc", state: StepState.DONE, order })] });
  await refused(update(calls, ACCOUNT), Code.FailedPrecondition, /nobody asked/);
  stop.abort();
});

test("only from an interface of the Server's own", async () => {
  for (const [neighbours, text] of [
    [{ "127.0.0.1": "52:54:00:66:66:66" }, /belongs to 52:54:00:66:66:66, which is none of the Server's/],
    [{}, /nobody on this network is seen to have the address/],
  ] as const) {
    const calls = await accepted({ neighbours });
    assert.equal((await calls.agent.createServer(registration())).setupBmc, true);
    await refused(update(calls, ACCOUNT), Code.PermissionDenied, text);
    assert.equal((await server()).spec?.bmc, undefined);
    await fixture.stop();
  }
  fixture = await startApi();
});

test("a way to its power that a person has made stays", async () => {
  for (const spec of [
    { bmc: { endpoint: "10.9.9.9", user: "root", pass: "calvin" } },
    { managementApi: { endpoint: "http://h:1" } },
  ]) {
    const calls = await accepted();
    await calls.agent.createServer(registration());
    await fixture.world.client.for(Server).patch(UUID, { spec });
    assert.equal((await calls.agent.createServer(registration())).setupBmc, false);
    await refused(update(calls, ACCOUNT), Code.FailedPrecondition, /the Server has a/);
    await fixture.stop();
  }
  fixture = await startApi();
});

test("what upstream leaves half done is set up again", async () => {
  const calls = await accepted();
  await calls.agent.createServer(registration());
  await fixture.world.client.for(Server).patch(UUID, { spec: { bmc: { endpoint: "10.1.0.5", port: 623 } } });
  assert.equal((await calls.agent.createServer(registration())).setupBmc, true);
  await update(calls, ACCOUNT);
  assert.equal((await server()).spec?.bmc?.port, 6230);
});

test("an account that does not work is no way; the agent is told why, and its password is not lost", async () => {
  const { prove, logins } = bmc({ sidero: "another" });
  const calls = await accepted({ proveBmc: prove });
  await calls.agent.createServer(registration());
  const denied = await refused(
    update(calls, ACCOUNT),
    Code.FailedPrecondition,
    /cannot log in at 10\.1\.0\.5: unauthorized name/,
  );
  assert.equal(denied.findDetails(BmcRefusalSchema)[0]?.reason, BmcRefusal_Reason.DENIED);
  const silent = await refused(update(calls, { ...ACCOUNT, ip: "10.1.0.6" }), Code.Unavailable, /no answer/);
  assert.equal(silent.findDetails(BmcRefusalSchema)[0]?.reason, BmcRefusal_Reason.UNREACHABLE);
  assert.equal((await server()).spec?.bmc, undefined);
  assert.deepEqual(Object.keys(await secret()), ["pending"]);
  assert.deepEqual(logins[0], { address: "10.1.0.5", port: 6230, user: "sidero", password: "s3cret" });
  await refused(update(calls, { ...ACCOUNT, ip: "127.0.0.1" }), Code.InvalidArgument, /leads to no BMC/);
  await update(calls, { ...ACCOUNT, pass: "another" });
  assert.deepEqual(await secret(), { user: "sidero", pass: "another" });
  assert.ok((await events()).some((line) => /^Normal BMC Update: .*proven by logging in/.test(line)));
  assert.ok(!JSON.stringify([fixture.lines, fixture.sightings, await events()]).includes("s3cret"));
});

test("what is on record is tried before anything is changed, and becomes the way when it works", async () => {
  const { prove } = bmc({ sidero: "s3cret" });
  const calls = await accepted({ proveBmc: prove });
  await calls.agent.createServer(registration());
  const offer = (...ips: string[]) => calls.machine.offerBmc({ addresses: ips.map((ip) => ({ ip, port: 623 })) });
  assert.equal((await offer("10.1.0.5")).standing, BmcStanding.NONE);
  await calls.machine.prepareBmc({ user: "sidero", pass: "wrong" });
  const denied = await offer("10.1.0.6", "10.1.0.5");
  assert.deepEqual([denied.standing, denied.user], [BmcStanding.DENIED, "sidero"]);
  assert.equal((await offer("10.1.0.6")).standing, BmcStanding.UNREACHABLE);
  await calls.machine.prepareBmc({ user: "sidero", pass: "s3cret" });
  assert.equal((await offer("10.1.0.6", "10.1.0.5")).standing, BmcStanding.WORKS);
  assert.deepEqual(await secret(), { user: "sidero", pass: "s3cret" });
  assert.equal((await server()).spec?.bmc?.endpoint, "10.1.0.5");
});

test("a password that was under way when its agent died is found without it", async () => {
  const passwords: Record<string, string> = { sidero: "old" };
  const { prove } = bmc(passwords);
  const calls = await accepted({ proveBmc: prove });
  await calls.agent.createServer(registration());
  await update(calls, { ...ACCOUNT, pass: "old" });
  // Changed in place, and then the machine loses its power.
  await fixture.world.client.for(Server).patch(UUID, { metadata: { annotations: { test: "1" } } });
  const { data } = await fixture.world.client.for(Secret).in("default").get(`${UUID}-bmc`);
  const pending = btoa(JSON.stringify([{ user: "sidero", password: "new" }]));
  await fixture.world.client
    .for(Secret)
    .in("default")
    .patch(`${UUID}-bmc`, { data: { ...data, pending } });
  passwords["sidero"] = "new";
  await fixture.api.healBmcs();
  assert.deepEqual(await secret(), { user: "sidero", pass: "new" });
});

test("a namespace that is not there is said on the Server", async () => {
  const calls = await accepted({ settings: { autoAccept: true, bmcSecretNamespace: "nowhere" } });
  await calls.agent.createServer(registration());
  await refused(update(calls, ACCOUNT), Code.Unavailable, /there is no namespace nowhere/);
  assert.ok((await events()).some((line) => /Warning BMC Update: .*no namespace nowhere/.test(line)));
  assert.equal((await server()).spec?.bmc, undefined);
});
