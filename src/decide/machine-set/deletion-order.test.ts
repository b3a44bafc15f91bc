import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { type DeletionOrder, machinesToDelete } from "./deletion-order.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const DAY = 86_400_000;

interface Traits {
  readonly age?: number;
  readonly isDeleting?: true;
  readonly isAsked?: true;
  readonly isUpdating?: true;
  readonly hasNoNode?: true;
  readonly isSick?: true;
}

function machine(name: string, { age = 1, ...traits }: Traits = {}): Machine {
  const time = new Date(NOW - age * DAY).toISOString();
  const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: time });
  const conditions = [
    ...(traits.isUpdating ? [condition("Updating", "True")] : []),
    ...(traits.isSick ? [condition("NodeHealthy", "False")] : []),
  ];
  return {
    metadata: {
      name,
      creationTimestamp: time,
      ...(traits.isDeleting ? { deletionTimestamp: time } : {}),
      ...(traits.isAsked ? { annotations: { "cluster.x-k8s.io/delete-machine": "" } } : {}),
    },
    status: { conditions, ...(traits.hasNoNode ? {} : { nodeRef: { name } }) },
  } as unknown as Machine;
}

const cases: [name: string, order: DeletionOrder, machines: Machine[], expected: string][] = [
  ["what is going anyway comes first", "Random", [machine("a", { isAsked: true }), machine("b", { isDeleting: true })], "b a"],
  [
    "then what a person asked for",
    "Newest",
    [machine("a", { isUpdating: true }), machine("b", { isAsked: true, age: 90 })],
    "b a",
  ],
  [
    "then what is being changed, then what is no use",
    "Oldest",
    [machine("a", { hasNoNode: true }), machine("b", { isUpdating: true })],
    "b a",
  ],
  ["a sick machine before any policy", "Oldest", [machine("a", { age: 300 }), machine("b", { isSick: true, age: 0 })], "b a"],
  ["one without a Node too", "Newest", [machine("a", { age: 0.1 }), machine("b", { hasNoNode: true, age: 300 })], "b a"],
  ["the oldest", "Oldest", [machine("a", { age: 1 }), machine("b", { age: 3 }), machine("c", { age: 2 })], "b c a"],
  ["the newest", "Newest", [machine("a", { age: 1 }), machine("b", { age: 3 }), machine("c", { age: 2 })], "a c b"],
  ["by name where nothing tells them apart", "Random", [machine("c"), machine("a", { age: 9 }), machine("b")], "a b c"],
];

for (const [name, order, machines, expected] of cases)
  test(name, () => {
    const going = machinesToDelete(machines, machines.length, order, NOW).map(({ metadata }) => metadata.name);
    assert.equal(going.join(" "), expected);
  });

test("no more than are too many", () => {
  const machines = [machine("a"), machine("b")];
  assert.deepEqual(
    [-1, 0, 1, 5].map((count) => machinesToDelete(machines, count, "Random", NOW).length),
    [0, 0, 1, 2],
  );
});
