import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";
import { remediationOf } from "./remediation.ts";

const GIVEN_UP = ["HealthCheckSucceeded", "OwnerRemediated"].map((type) => ({ type, status: "False", reason: "x" }));

/** What is done about the only machine, which does not answer, of a control plane that has an etcd. */
function done(status: object): string[] {
  const machine = { name: "m", uid: "u", isDeleting: false, annotations: {}, conditions: GIVEN_UP, createdAt: 0, facts: {} };
  const observed = { machines: [machine as unknown as ControlPlaneMachine], status } as unknown as ObservedControlPlane;
  return remediationOf(observed, undefined, true, 1)
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
