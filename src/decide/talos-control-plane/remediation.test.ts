import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";
import { remediationOf } from "./remediation.ts";

const GIVEN_UP = ["HealthCheckSucceeded", "OwnerRemediated"].map((type) => ({ type, status: "False", reason: "x" }));

/** What is done about the only machine, which does not answer, of a control plane that has an etcd. */
function done(status: object, isBootstrapped = true, more: object = {}): string[] {
  const blank = { spec: {}, facts: {} };
  const machine = {
    name: "m",
    uid: "u",
    isDeleting: false,
    annotations: {},
    conditions: GIVEN_UP,
    createdAt: 0,
    ...blank,
    ...more,
  };
  const observed = { machines: [machine as unknown as ControlPlaneMachine], status } as unknown as ObservedControlPlane;
  return remediationOf(observed, undefined, isBootstrapped, 1)
    .effects.map((effect) => effect.do)
    .filter((each) => each !== "conditions");
}

test("the only machine is replaced when it is known that its API server has never answered, not when the status was lost", () => {
  const bootstrap = { machine: "m", uid: "u", at: "2030-01-01T00:00:00Z" };
  assert.deepEqual(done({ bootstrapped: true, bootstrap }), ["delete"]);
  assert.deepEqual(done({ bootstrapped: true, initialized: true, bootstrap }), []);
  assert.deepEqual(done({ bootstrapped: true }), [], "moved, or restored");
  assert.deepEqual(done({ bootstrapped: true, bootstrap: { ...bootstrap, uid: "other" } }), [], "restored");
});

test("nothing is on record of its etcd, as after a move from upstream: who has been installed may be a member, and is kept", () => {
  const installed = { spec: { providerID: "sidero://x" } };
  const bootstrap = { machine: "m", uid: "u", at: "2030-01-01T00:00:00Z" };
  assert.deepEqual(done({}, false), ["delete"], "never installed");
  assert.deepEqual(done({}, false, installed), []);
  assert.deepEqual(done({ bootstrap }, false, installed), ["delete"], "ours from the beginning");
});
