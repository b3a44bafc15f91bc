import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "#kinds/cluster/v1beta2/machine-spec.ts";
import { outdated } from "./template.ts";

const spec = (version: string | undefined): MachineSpec => ({
  clusterName: "c",
  ...(version !== undefined && { version }),
  bootstrap: { configRef: { apiGroup: "b", kind: "TalosConfigTemplate", name: "t" } },
  infrastructureRef: { apiGroup: "i", kind: "MetalMachineTemplate", name: "m" },
});

test("a version with and without its v makes the same machines", () => {
  assert.deepEqual(outdated(spec("1.34.1"), spec("v1.34.1")), []);
  assert.deepEqual(outdated(spec("v1.34.1"), spec("v1.34.1")), []);
  assert.deepEqual(outdated(spec("1.34.1"), spec("v1.34.2")), ["Version v1.34.1, v1.34.2 required"]);
  assert.deepEqual(outdated(spec(undefined), spec("v1.34.2")), ["Version none, v1.34.2 required"]);
});
