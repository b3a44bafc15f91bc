import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";
import { differencesOf } from "./wanted.ts";

function differences(wanted: object, present: object): string[] {
  const spec = { version: "v1.34.1", controlPlaneConfig: { controlplane: wanted } };
  const template = { group: "g", kind: "K", name: "t" };
  const observed = { spec, template } as unknown as ObservedControlPlane;
  return differencesOf(observed, { config: present, createdAt: 0 } as unknown as ControlPlaneMachine, 1);
}

test("what a newer version of TalosConfig says in other words replaces no machine", () => {
  assert.deepEqual(differences({ generateType: "" }, { generateType: "worker" }), []);
  assert.deepEqual(differences({ generateType: "join" }, { generateType: "worker" }), []);
  assert.deepEqual(differences({ generateType: "controlplane" }, { generateType: "controlplane" }), []);
  assert.deepEqual(differences({ generateType: "controlplane" }, { generateType: "worker" }), ["config"]);
});
