import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClusterCondition, findCondition, removeCondition, setClusterCondition, setCondition } from "./condition.ts";
import type { Condition } from "./meta.ts";

const THEN = "2030-01-01T00:00:00Z";
const NOW = "2030-01-01T01:00:00Z";
const ready: Condition = { type: "Ready", status: "True", reason: "Fine", message: "", lastTransitionTime: THEN };

test("only another status is a transition", () => {
  const reworded = setCondition([ready], { type: "Ready", status: "True", reason: "Better", message: "" }, NOW);
  assert.deepEqual(reworded, [{ ...ready, reason: "Better" }]);
  const fallen = setCondition([ready], { type: "Ready", status: "False", reason: "Ill", message: "" }, NOW);
  assert.deepEqual(fallen, [{ ...ready, status: "False", reason: "Ill", lastTransitionTime: NOW }]);
});

test("saying the same again gives the same list", () => {
  const list = [ready];
  assert.equal(setCondition(list, { type: "Ready", status: "True", reason: "Fine", message: "" }, NOW), list);
  assert.equal(removeCondition(list, "Other"), list);
});

test("conditions keep their place; new ones come last, or in Cluster API's order", () => {
  const second: Condition = { ...ready, type: "Clean" };
  assert.deepEqual(
    setCondition([ready], { ...second, type: "Clean" }, NOW).map((each) => each.type),
    ["Ready", "Clean"],
  );
  let list: readonly ClusterCondition[] = [];
  for (const type of ["Powered", "Accepted", "Ready"]) list = setClusterCondition(list, { type, status: "True" }, NOW);
  assert.deepEqual(
    list.map((each) => each.type),
    ["Ready", "Accepted", "Powered"],
  );
  assert.deepEqual(
    removeCondition(list, "Accepted").map((each) => each.type),
    ["Ready", "Powered"],
  );
});

test("severity belongs to False alone", () => {
  const list = setClusterCondition([], { type: "Ready", status: "False", severity: "Info", reason: "Waiting" }, THEN);
  assert.equal(findCondition(list, "Ready")?.severity, "Info");
  const now = setClusterCondition(list, { type: "Ready", status: "True", severity: "Info" }, NOW);
  assert.deepEqual(now, [{ type: "Ready", status: "True", lastTransitionTime: NOW }]);
});
