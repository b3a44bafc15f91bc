import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineDrainRule } from "#kinds/cluster/v1beta2/machine-drain-rule.ts";
import { type DrainObserved, planDrain, type PodFacts, verdictOf } from "./drain.ts";

const machine = { metadata: { name: "m", labels: { pool: "a" } } } as unknown as Machine;

function pod(name: string, metadata: object = {}, phase = "Running"): PodFacts {
  return { metadata: { namespace: "apps", name, ...metadata }, status: { phase } };
}

function rule(name: string, spec: object): MachineDrainRule {
  return { metadata: { name }, spec } as unknown as MachineDrainRule;
}

function observed(pods: readonly PodFacts[], more: Partial<DrainObserved> = {}): DrainObserved {
  return { pods, problem: undefined, namespaces: {}, refusals: new Map(), rules: [], volumes: [], ...more };
}

const verdicts: [string, PodFacts, readonly MachineDrainRule[], string][] = [
  ["a plain Pod is evicted", pod("a"), [], "Drain 0"],
  ["static Pods stay", pod("a", { annotations: { "kubernetes.io/config.mirror": "x" } }), [], "Skip 0"],
  ["those of DaemonSets stay", pod("a", { ownerReferences: [{ kind: "DaemonSet", controller: true }] }), [], "Skip 0"],
  ["those of ReplicaSets do not", pod("a", { ownerReferences: [{ kind: "ReplicaSet", controller: true }] }), [], "Drain 0"],
  ["the label says skip", pod("a", { labels: { "cluster.x-k8s.io/drain": "skip" } }), [], "Skip 0"],
  ["or wait-completed", pod("a", { labels: { "cluster.x-k8s.io/drain": "wait-completed" } }), [], "WaitCompleted 0"],
  [
    "the label counts more than rules",
    pod("a", { labels: { "cluster.x-k8s.io/drain": "skip" } }),
    [rule("r", { drain: { behavior: "Drain", order: 3 } })],
    "Skip 0",
  ],
  ["a rule without selectors means all", pod("a"), [rule("r", { drain: { behavior: "Drain", order: 3 } })], "Drain 3"],
  [
    "the first by name counts",
    pod("a"),
    [rule("z", { drain: { behavior: "Skip" } }), rule("b", { drain: { behavior: "Drain", order: 7 } })],
    "Drain 7",
  ],
  [
    "a rule for other machines does not count",
    pod("a"),
    [rule("r", { drain: { behavior: "Skip" }, machines: [{ selector: { matchLabels: { pool: "b" } } }] })],
    "Drain 0",
  ],
  [
    "of several alternatives one is enough, and each holds as a whole",
    pod("a", { labels: { app: "db" } }),
    [
      rule("r", {
        drain: { behavior: "Skip" },
        machines: [
          { selector: { matchLabels: { pool: "b" } } },
          { selector: { matchLabels: { pool: "a" } }, clusterSelector: { matchLabels: { env: "prod" } } },
        ],
        pods: [{ selector: { matchLabels: { app: "db" } }, namespaceSelector: { matchLabels: { team: "x" } } }],
      }),
    ],
    "Skip 0",
  ],
];

for (const [what, facts, rules, expected] of verdicts) {
  test(what, () => {
    const { behavior, order } = verdictOf(facts, machine, { env: "prod" }, { rules, namespaces: { apps: { team: "x" } } });
    assert.equal(`${behavior} ${order}`, expected);
  });
}

function plan(drain: DrainObserved, isUnreachable = false): { evict: string[]; waits: readonly string[] } {
  const { evict, waits } = planDrain(drain, machine, {}, isUnreachable);
  return { evict: evict.map(({ name }) => name), waits };
}

test("Pods of a lower order go first, and those of later ones wait until these are gone", () => {
  const last = rule("last", { drain: { behavior: "Drain", order: 5 }, pods: [{ selector: { matchLabels: { app: "db" } } }] });
  const pods = [pod("web"), pod("db", { labels: { app: "db" } })];
  assert.deepEqual(plan(observed(pods, { rules: [last] })), {
    evict: ["web"],
    waits: ["Pods apps/web to be evicted", "After that 1 Pods of a later order"],
  });
  const going = [pod("web", { deletionTimestamp: "2024-01-01T00:00:00Z" }), pods[1]!];
  assert.deepEqual(plan(observed(going, { rules: [last] })), {
    evict: [],
    waits: ["Pods apps/web is going", "After that 1 Pods of a later order"],
  });
  assert.deepEqual(plan(observed([pods[1]!], { rules: [last] })).evict, ["db"]);
});

test("a refusal is said and tried again", () => {
  const refusals = new Map([["apps/web", "Cannot evict pod as it would violate the pod's disruption budget."]]);
  assert.deepEqual(plan(observed([pod("web")], { refusals })), {
    evict: ["web"],
    waits: ["Pod apps/web: Cannot evict pod as it would violate the pod's disruption budget."],
  });
});

test("a Pod to be completed is waited for, and has completed when it says so", () => {
  const labels = { "cluster.x-k8s.io/drain": "wait-completed" };
  assert.deepEqual(plan(observed([pod("job", { labels })])), { evict: [], waits: ["Pods apps/job to complete"] });
  assert.deepEqual(plan(observed([pod("job", { labels }, "Succeeded")])), { evict: [], waits: [] });
});

test("on a node that does not answer, a Pod that is being deleted is not waited for", () => {
  const pods = [pod("web", { deletionTimestamp: "2024-01-01T00:00:00Z" })];
  assert.deepEqual(plan(observed(pods), true), { evict: [], waits: [] });
  assert.equal(plan(observed(pods), false).waits.length, 1);
});

test("Pods that cannot be listed are waited for", () => {
  assert.deepEqual(plan({ ...observed([]), pods: undefined, problem: "no answer" }), { evict: [], waits: ["no answer"] });
});
