import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterCondition } from "#schema/condition.ts";
import { decideInstall, type ObservedInstall, OVERDUE } from "./install.ts";

const SERVED = "2030-01-01T00:00:00Z";
const NOW = Date.parse(SERVED);
const blank: ObservedInstall = { name: "n", uid: "u", server: "s", conditions: [], addresses: [], hostname: "" };
const served: ObservedInstall = { ...blank, servedAt: SERVED, servedTo: "10.0.0.7" };
const proof = { address: "10.0.0.7", hostname: "node-1", version: "v1.13.4" };

function short({ status }: ReturnType<typeof decideInstall>): string[] | undefined {
  return status.conditions?.map((each) => `${each.type}=${each.status}/${each.reason ?? ""}/${each.severity ?? ""}`);
}

test("nothing was sent: nothing is said", () => {
  assert.deepEqual(decideInstall({ ...blank, proof }, NOW), { effects: [], status: {} });
});

test("sent: it is under way, until its deadline; then somebody is told, once, with a remedy", () => {
  const first = decideInstall(served, NOW);
  assert.deepEqual(short(first), ["TalosInstalled=False/TalosInstallationInProgress/Info"]);
  assert.deepEqual([first.effects, first.again], [[], OVERDUE + 1]);
  const going = { ...served, conditions: first.status.conditions!, trouble: "no answer within 4 s" };
  assert.deepEqual(decideInstall(going, NOW + OVERDUE - 1), { effects: [], status: {}, again: 2 });

  const late = decideInstall(going, NOW + OVERDUE);
  assert.deepEqual(short(late), ["TalosInstalled=False/TalosInstallationOverdue/Warning"]);
  const [tell] = late.effects;
  assert.ok(tell?.do === "tell" && tell.type === "Warning");
  assert.match(
    tell.message,
    /sent to 10\.0\.0\.7 .* Asked last: no answer within 4 s\. Look at its console; .*request="power-cycle/,
  );
  const told = { ...going, conditions: late.status.conditions!, trouble: "something else" };
  assert.deepEqual(decideInstall(told, NOW + OVERDUE + 1), { effects: [], status: {} }, "steady");
});

test("what Talos itself has said of a failure stays while nothing better is known", () => {
  const failed: ClusterCondition = {
    type: "TalosInstalled",
    status: "False",
    severity: "Error",
    reason: "TalosInstallationFailed",
    message: "no disk",
    lastTransitionTime: SERVED,
  };
  assert.deepEqual(decideInstall({ ...served, conditions: [failed] }, NOW).status, {});
});

test("proven: installed, with address and name; and then it rests", () => {
  const decision = decideInstall({ ...served, proof }, NOW);
  assert.deepEqual(short(decision), ["TalosConfigLoaded=True//", "TalosConfigValidated=True//", "TalosInstalled=True//"]);
  assert.deepEqual(decision.effects[0], { do: "report", name: "n", uid: "u", addresses: ["10.0.0.7"], hostname: "node-1" });
  assert.ok(decision.effects[1]?.do === "tell" && /Talos v1\.13\.4 is installed/.test(decision.effects[1].message));
  const after = { ...served, proof, conditions: decision.status.conditions!, addresses: ["10.0.0.7"], hostname: "node-1" };
  assert.deepEqual(decideInstall(after, NOW), { effects: [], status: {} });
});

test("what the machine has said of itself is more than the one address that answered", () => {
  const told = { ...served, addresses: ["10.1.0.7", "10.0.0.7"], hostname: "own" };
  const decision = decideInstall({ ...told, proof: { ...proof, hostname: "" } }, NOW);
  assert.deepEqual(
    decision.effects.map((effect) => effect.do),
    ["tell"],
  );
});

test("its events said that it is installed, and not where it is: that is asked of apid, and nothing else", () => {
  const conditions: ClusterCondition[] = [{ type: "TalosInstalled", status: "True", lastTransitionTime: SERVED }];
  assert.deepEqual(decideInstall({ ...served, conditions }, NOW + OVERDUE), { effects: [], status: {} });
  assert.deepEqual(decideInstall({ ...served, conditions, proof }, NOW), {
    effects: [{ do: "report", name: "n", uid: "u", addresses: ["10.0.0.7"], hostname: "node-1" }],
    status: {},
  });
  assert.deepEqual(decideInstall({ ...served, conditions, addresses: ["10.0.0.9"], proof }, NOW), { effects: [], status: {} });
});
