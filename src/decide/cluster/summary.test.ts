import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Condition, KubeObject, OwnerReference } from "#schema/meta.ts";
import { CLUSTER_NAME, labelValueOf } from "#kinds/cluster/keys.ts";
import { Conditions } from "./conditions.ts";
import { compareReleases } from "./counts.ts";
import { mirrored } from "./external.ts";
import { isSameOwner, owning } from "./owner.ts";
import { gates, summarize } from "./summary.ts";

const REASONS = { good: "Ready", bad: "NotReady", unknown: "ReadyUnknown" };

function conditions(...list: [type: string, status: "True" | "False" | "Unknown", message?: string][]): Condition[] {
  return list.map(([type, status, message = ""]) => ({
    type,
    status,
    reason: `${type}Is${status}`,
    message,
    lastTransitionTime: "2024-01-01T00:00:00Z",
  }));
}

test("a summary is as good as its worst part", () => {
  const parts = [{ type: "Deleting", isNegative: true }, { type: "A" }, { type: "B", isOptional: true }];
  const table: [Condition[], string][] = [
    [conditions(["Deleting", "False"], ["A", "True"]), "True Ready "],
    [conditions(["Deleting", "True", "going"], ["A", "True"]), "False NotReady * Deleting: going"],
    [conditions(["Deleting", "False"], ["A", "Unknown", "who knows"]), "Unknown ReadyUnknown * A: who knows"],
    [
      conditions(["Deleting", "False"], ["A", "Unknown"], ["B", "False", "no\nnever"]),
      "False NotReady * A: AIsUnknown\n* B: no\n  never",
    ],
    [conditions(["Deleting", "False"]), "Unknown ReadyUnknown * A: Condition not yet reported"],
  ];
  for (const [list, expected] of table) {
    const { status, reason, message } = summarize(list, parts, REASONS);
    assert.equal(`${status} ${reason} ${message}`, expected);
  }
  assert.deepEqual(gates([{ conditionType: "X" }, { conditionType: "Y", polarity: "Negative" }]), [
    { type: "X", isNegative: false },
    { type: "Y", isNegative: true },
  ]);
});

test("conditions that say the same are the very same lists", () => {
  const before = { conditions: conditions(["A", "True"]), deprecated: { v1beta1: { conditions: [] } } };
  const now = Date.parse("2024-06-01T00:00:00.700Z");
  const said = new Conditions(before, undefined, now).say("A", { status: "True", reason: "AIsTrue", message: "" });
  assert.equal(said.list, before.conditions);
  said.sayBoth("B", { status: "Unknown", reason: "W", message: "wait" });
  assert.deepEqual(said.list[1], {
    type: "B",
    status: "Unknown",
    reason: "W",
    message: "wait",
    lastTransitionTime: "2024-06-01T00:00:00Z",
  });
  assert.deepEqual(said.old, [
    { type: "B", status: "False", severity: "Info", reason: "W", message: "wait", lastTransitionTime: "2024-06-01T00:00:00Z" },
  ]);
});

test("a condition without a status that can be read is said to be invalid", () => {
  const object = { kind: "X", status: { conditions: [{ type: "Ready" }] } } as unknown as KubeObject;
  const otherwise = { status: "False", reason: "No", message: "" } as const;
  assert.equal(mirrored(object, "Ready", otherwise).reason, "InvalidConditionReported");
  assert.equal(mirrored(object, "Other", otherwise), otherwise);
  const newer = {
    kind: "X",
    status: { conditions: [{ type: "Ready", status: "False" }], v1beta2: { conditions: [{ type: "Ready", status: "True" }] } },
  };
  assert.deepEqual(mirrored(newer as unknown as KubeObject, "Ready", otherwise), {
    status: "True",
    reason: "Ready",
    message: "",
  });
});

const owner: OwnerReference = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "Machine", name: "m", uid: "u2", controller: true };

function owned(ownerReferences: OwnerReference[], labels: Record<string, string> = { [CLUSTER_NAME]: "c" }): KubeObject {
  return { apiVersion: "x/v1", kind: "X", metadata: { name: "x", ownerReferences, labels } };
}

test("owner references: kept when they are right, mended when they are old, refused when they are another's", () => {
  assert.equal(owning(owned([owner]), owner, "c"), undefined);
  const older = { ...owner, apiVersion: "cluster.x-k8s.io/v1beta1", uid: "u1" };
  const friend: OwnerReference = { apiVersion: "v1", kind: "ConfigMap", name: "f", uid: "f" };
  assert.deepEqual(owning(owned([friend, older]), owner, "c"), {
    ownerReferences: [friend, owner],
    labels: { [CLUSTER_NAME]: "c" },
  });
  assert.deepEqual(owning(owned([owner], {}), owner, "c"), { ownerReferences: [owner], labels: { [CLUSTER_NAME]: "c" } });
  const maker: OwnerReference = {
    apiVersion: "cluster.x-k8s.io/v1beta2",
    kind: "MachineSet",
    name: "ms",
    uid: "s",
    controller: true,
  };
  assert.equal(owning(owned([maker]), owner, "c"), "X x is already controlled by MachineSet ms");
  assert.deepEqual(
    owning(owned([maker]), owner, "c", ({ kind }) => kind === "MachineSet"),
    {
      ownerReferences: [owner],
      labels: { [CLUSTER_NAME]: "c" },
    },
  );
  const blocking = { ...owner, blockOwnerDeletion: false };
  assert.equal(owning(owned([blocking]), { ...owner, blockOwnerDeletion: true }, "c"), undefined, "what others have set stays");
});

test("once owned, there is nothing left to do", () => {
  const reference = fc.record({
    apiVersion: fc.constantFrom("cluster.x-k8s.io/v1beta1", "cluster.x-k8s.io/v1beta2", "v1"),
    kind: fc.constantFrom("Machine", "MachineSet", "Cluster"),
    name: fc.constantFrom("m", "n"),
    uid: fc.constantFrom("u1", "u2"),
  });
  fc.assert(
    fc.property(fc.uniqueArray(reference, { maxLength: 4, comparator: isSameOwner }), (references) => {
      const object = owned(references);
      const write = owning(object, owner, "c");
      assert.notEqual(typeof write, "string");
      if (write === undefined || typeof write === "string") return;
      assert.equal(owning(owned([...write.ownerReferences]), owner, "c"), undefined);
    }),
  );
});

test("releases in the order of their numbers, candidates before what they are for", () => {
  const order = ["v1.9.0", "v1.10.0-rc.1", "v1.10.0", "v1.10.2", "v2.0.0"];
  assert.deepEqual(order.toReversed().toSorted(compareReleases), order);
});

test("names too long for a label are hashed", () => {
  assert.equal(labelValueOf("short"), "short");
  // Computed with Python: FNV-1a of 64 letters a, base64url.
  assert.equal(labelValueOf("a".repeat(64)), "hash_2W8PhQ_z");
  assert.notEqual(labelValueOf("a".repeat(64)), labelValueOf("a".repeat(65)));
});
