import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { entitlementOf, type Presence } from "./entitlement.ts";
import { bootOrderOf, isServed } from "./order.ts";

const AT = Date.parse("2030-01-01T00:00:00Z");
const UID = "b1";
const MAC = "52:54:00:00:00:01";
const action = (id: string, verb: string, state: "running" | "done" | "failed" = "done") => ({
  id,
  do: verb,
  state,
  startedAt: "2030-01-01T00:00:00Z",
});
/** `boot-environment/b1/1/<when>/on` */
const ours = `boot-environment/${UID}/1/${AT.toString(36)}/on`;
const request = `power-cycle/request.x/1/${(AT + 5000).toString(36)}/cycle`;
const allocation = { binding: UID, since: "2030-01-01T00:00:01Z" };

function server(status: NonNullable<Server["status"]>, macs = [MAC]): Server {
  return {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name: "n" },
    spec: { accepted: true, hardware: { network: { interfaces: macs.map((mac) => ({ mac })) } } },
    status,
  };
}

function binding(status: NonNullable<ServerBinding["status"]> = {}): ServerBinding {
  return {
    apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
    kind: "ServerBinding",
    metadata: { name: "n", uid: UID },
    spec: { metalMachineRef: { name: "m" } },
    status,
  };
}

const bmc = { way: "bmc" } as const;
const ORDERS: readonly (readonly [what: string, status: NonNullable<Server["status"]>, order: string | undefined])[] = [
  ["started for this binding", { action: action(ours, "boot-environment"), bmc }, ours],
  ["its BMC failed, but it may boot all the same", { action: action(ours, "boot-environment", "failed"), bmc }, ours],
  ["started for another binding", { action: action(ours.replace(UID, "b0"), "boot-environment"), bmc, allocation }, undefined],
  ["started for a wipe", { action: action(`boot-agent/w/1/${AT.toString(36)}/on`, "boot-agent"), bmc, allocation }, undefined],
  ["requested by annotation", { action: action(request, "power-cycle"), bmc, allocation }, request],
  [
    "requested before it was allocated",
    { action: action(request, "power-cycle"), bmc, allocation: { ...allocation, since: "2030-01-01T00:01:00Z" } },
    undefined,
  ],
  ["requested, and nobody knows for whom", { action: action(request, "power-cycle"), bmc }, undefined],
  ["told to blink", { action: action(request.replace("power-cycle", "identify"), "identify"), bmc, allocation }, undefined],
  ["nothing was done to it", { bmc, allocation }, undefined],
  ["without a BMC people start it", { allocation, bmc: { way: "none" } }, `person/${UID}`],
  ["without a BMC, allocated to somebody else on record", { allocation: { ...allocation, binding: "b0" } }, undefined],
];

for (const [what, status, order] of ORDERS) {
  test(`${what}: ${order === undefined ? "no order" : "an order"}`, () => {
    assert.equal(bootOrderOf(server(status), binding())?.id, order);
  });
}

test("a configuration goes to one boot of an order", () => {
  const configuration = (order: string, servedAt: string) =>
    binding({ configuration: { order, servedAt, boot: "x", address: "a" } });
  const started = server({ action: action(ours, "boot-environment"), bmc });
  assert.equal(isServed(started, binding()), false);
  assert.equal(isServed(started, configuration(ours, "2030-01-01T00:03:00Z")), true);
  assert.equal(isServed(server({ bmc }), configuration(ours, "2030-01-01T00:03:00Z")), true, "nobody has ordered another boot");
  assert.equal(isServed(started, configuration("an earlier one", "2029-12-31T23:00:00Z")), false);
});

const GRANTED = "granted";
const PRESENCES: readonly (readonly [
  what: string,
  presence: Partial<Presence>,
  outcome: RegExp | typeof GRANTED,
  macs?: string[],
])[] = [
  ["on its own interface", { mac: MAC }, GRANTED],
  ["on another's", { mac: "52:54:00:66:66:66" }, /foreign: 10\.0\.0\.7 belongs to 52:54:00:66:66:66/],
  ["unseen", {}, /nobody here sees/],
  ["unseen, where the network is trusted", { identity: "network" }, GRANTED],
  ["another's, where the network is trusted", { identity: "network", mac: "52:54:00:66:66:66" }, /foreign/],
  ["a simulated machine on this host", { address: "127.77.0.5" }, GRANTED],
  ["what a proxy on this host may relay", { address: "127.0.0.1" }, /nobody here sees whose address 127\.0\.0\.1 is/],
  ["and by IPv6", { address: "::1" }, /nobody here sees whose address ::1 is/],
  ["a Server that has never been in the agent", { mac: MAC }, /no interface of the Server is on record/, []],
];

for (const [what, presence, outcome, macs] of PRESENCES) {
  test(`asked for ${what}: ${outcome === GRANTED ? GRANTED : "refused"}`, () => {
    const started = server({ action: action(ours, "boot-environment"), bmc }, macs);
    const given = entitlementOf(started, binding(), { address: "10.0.0.7", identity: "neighbour", ...presence });
    const said = given.is === "granted" ? GRANTED : `${given.isForeign ? "foreign: " : ""}${given.because}`;
    if (outcome === GRANTED) assert.equal(said, GRANTED);
    else assert.match(said, outcome);
  });
}

test("an intruder freezes its boot, and the next order is another one", () => {
  const intruder = (order: string) =>
    binding({ intruder: { at: "2030-01-01T00:00:00Z", order, address: "10.0.0.66", mac: "x" } });
  const started = server({ action: action(ours, "boot-environment"), bmc });
  const presence: Presence = { address: "10.0.0.7", mac: MAC, identity: "neighbour" };
  const frozen = entitlementOf(started, intruder(ours), presence);
  assert.ok(frozen.is === "refused" && /10\.0\.0\.66 \(x\) asked as this machine/.test(frozen.because));
  assert.equal(entitlementOf(started, intruder("an earlier one"), presence).is, "granted");
});
