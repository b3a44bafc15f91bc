import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { DrainObserved } from "./drain.ts";
import { drainMatters, nodeExemption, takeDown } from "./deletion.ts";
import type { ObservedMachine } from "./observed.ts";

const NOW = Date.parse("2024-01-01T01:00:00Z");
const nobody: DrainObserved = { pods: [], problem: undefined, namespaces: {}, refusals: new Map(), rules: [], volumes: [] };
const pods = [{ metadata: { namespace: "apps", name: "web" } }];

function there(kind: string, metadata: object = {}): { is: "there"; object: KubeObject } {
  return { is: "there", object: { apiVersion: "x/v1", kind, metadata: { name: "m", uid: kind, ...metadata } } };
}

const gone = { is: "missing" } as const;
const node = { metadata: { name: "n", resourceVersion: "7" }, spec: { providerID: "p", unschedulable: true } };

function going(metadata: object = {}, spec: object = {}, status: object = {}): Machine {
  return {
    metadata: { name: "m", namespace: "default", deletionTimestamp: "2024-01-01T00:59:50Z", ...metadata },
    spec: {
      clusterName: "c",
      providerID: "p",
      bootstrap: { configRef: { apiGroup: "b", kind: "TalosConfig", name: "m" } },
      infrastructureRef: { apiGroup: "i", kind: "MetalMachine", name: "m" },
      ...spec,
    },
    status: { nodeRef: { name: "n" }, ...status },
  } as unknown as Machine;
}

function observed(more: Partial<ObservedMachine> = {}): ObservedMachine {
  return {
    machine: going(),
    cluster: { metadata: {} } as Cluster,
    bootstrap: there("TalosConfig"),
    infrastructure: there("MetalMachine"),
    controlPlane: there("TalosControlPlane"),
    activeControlPlanes: 1,
    nodes: { found: [node], problem: undefined, since: undefined },
    isOutdated: false,
    drain: nobody,
    ...more,
  };
}

const hook = (kind: string) => ({ annotations: { [`${kind}.delete.hook.machine.cluster.x-k8s.io/x`]: "y" } });
const deleted = { deletionTimestamp: "2024-01-01T00:59:50Z" };
const unreached = { found: [node], problem: "no answer", since: NOW };

const steps: [what: string, ObservedMachine, reason: string, effects: string][] = [
  [
    "hooks come before the drain",
    observed({ machine: going(hook("pre-drain")), drain: { ...nobody, pods } }),
    "WaitingForPreDrainHook",
    "",
  ],
  ["Pods are evicted", observed({ drain: { ...nobody, pods } }), "DrainingNode", "evict"],
  [
    "a Node that takes new Pods is cordoned first",
    observed({ nodes: { found: [{ ...node, spec: { providerID: "p" } }], problem: undefined, since: undefined } }),
    "DrainingNode",
    "patch-node",
  ],
  ["an empty Node is done with", observed(), "WaitingForInfrastructureDeletion", "delete-external MetalMachine"],
  [
    "a drain can be left out",
    observed({
      machine: going({ annotations: { "machine.cluster.x-k8s.io/exclude-node-draining": "" } }),
      drain: { ...nobody, pods },
    }),
    "WaitingForInfrastructureDeletion",
    "delete-external MetalMachine",
  ],
  [
    "a drain has its time",
    observed({
      machine: going(
        {},
        { deletion: { nodeDrainTimeoutSeconds: 60 } },
        { deletion: { nodeDrainStartTime: "2024-01-01T00:59:00Z" } },
      ),
      drain: { ...nobody, pods },
    }),
    "WaitingForInfrastructureDeletion",
    "delete-external MetalMachine",
  ],
  [
    "until which it goes on",
    observed({
      machine: going(
        {},
        { deletion: { nodeDrainTimeoutSeconds: 60 } },
        { deletion: { nodeDrainStartTime: "2024-01-01T00:59:01Z" } },
      ),
      drain: { ...nobody, pods },
    }),
    "DrainingNode",
    "evict",
  ],
  [
    "no time means for ever",
    observed({
      machine: going(
        {},
        { deletion: { nodeDrainTimeoutSeconds: 0 } },
        { deletion: { nodeDrainStartTime: "2020-01-01T00:00:00Z" } },
      ),
      drain: { ...nobody, pods },
    }),
    "DrainingNode",
    "evict",
  ],
  ["a cluster out of reach cannot be drained yet", observed({ nodes: unreached, drain: undefined }), "DrainingNode", ""],
  ["volumes must be detached", observed({ drain: { ...nobody, volumes: ["pv1"] } }), "WaitingForVolumeDetach", ""],
  [
    "but not for ever, when that is said",
    observed({
      machine: going(
        {},
        { deletion: { nodeVolumeDetachTimeoutSeconds: 10 } },
        { deletion: { waitForNodeVolumeDetachStartTime: "2024-01-01T00:59:00Z" } },
      ),
      drain: { ...nobody, volumes: ["pv1"] },
    }),
    "WaitingForInfrastructureDeletion",
    "delete-external MetalMachine",
  ],
  ["hooks come before the machine's end", observed({ machine: going(hook("pre-terminate")) }), "WaitingForPreTerminateHook", ""],
  [
    "a machine that is going is not drained",
    observed({ infrastructure: there("MetalMachine", deleted), drain: { ...nobody, pods } }),
    "WaitingForInfrastructureDeletion",
    "",
  ],
  ["then its bootstrap object", observed({ infrastructure: gone }), "WaitingForBootstrapDeletion", "delete-external TalosConfig"],
  ["then its Node", observed({ infrastructure: gone, bootstrap: gone }), "DeletingNode", "delete-node"],
  [
    "also when its ten seconds have gone into wiping",
    observed({ infrastructure: gone, bootstrap: gone, machine: going({}, { deletion: { nodeDeletionTimeoutSeconds: 10 } }) }),
    "DeletingNode",
    "delete-node",
  ],
  [
    "and while the next API server comes up",
    observed({
      infrastructure: gone,
      bootstrap: gone,
      machine: going({}, { deletion: { nodeDeletionTimeoutSeconds: 10 } }),
      nodes: { ...unreached, since: NOW - 59_999 },
    }),
    "DeletingNode",
    "",
  ],
  [
    "but no longer",
    observed({
      infrastructure: gone,
      bootstrap: gone,
      machine: going({}, { deletion: { nodeDeletionTimeoutSeconds: 10 } }),
      nodes: { ...unreached, since: NOW - 60_000 },
    }),
    "DeletionCompleted",
    "",
  ],
  [
    "or as long as it takes",
    observed({ infrastructure: gone, bootstrap: gone, machine: going({}, { deletion: { nodeDeletionTimeoutSeconds: 0 } }) }),
    "DeletingNode",
    "delete-node",
  ],
  [
    "a Node out of reach is waited for",
    observed({ infrastructure: gone, bootstrap: gone, nodes: unreached }),
    "DeletingNode",
    "",
  ],
  [
    "then nothing is left",
    observed({ infrastructure: gone, bootstrap: gone, nodes: { found: [], problem: undefined, since: undefined } }),
    "DeletionCompleted",
    "",
  ],
  [
    "with the whole cluster, Nodes are let be",
    observed({ cluster: { metadata: deleted } as Cluster, drain: undefined }),
    "WaitingForInfrastructureDeletion",
    "delete-external MetalMachine",
  ],
  [
    "also at the end",
    observed({ cluster: { metadata: deleted } as Cluster, infrastructure: gone, bootstrap: gone }),
    "DeletionCompleted",
    "",
  ],
  [
    "a kind that cannot be asked about is waited for",
    observed({ infrastructure: { is: "refused", problem: "no version keeps a contract" } }),
    "WaitingForInfrastructureDeletion",
    "",
  ],
];

for (const [what, facts, reason, effects] of steps) {
  test(what, () => {
    const takedown = takeDown(facts, NOW);
    assert.equal(takedown.deleting.reason, reason);
    const done = takedown.effects.map((effect) =>
      effect.do === "delete-external" ? `${effect.do} ${effect.reference.kind}` : effect.do,
    );
    assert.equal(done.join(", "), effects);
    assert.equal(takedown.isDone, reason === "DeletionCompleted");
  });
}

test("why a Node is let be", () => {
  const table: [Partial<ObservedMachine>, string | undefined][] = [
    [{}, undefined],
    [{ cluster: undefined }, "the Cluster is gone"],
    [{ cluster: { metadata: deleted } as Cluster }, "the Cluster is being deleted"],
    [{ controlPlane: there("TalosControlPlane", deleted) }, "the control plane is being deleted"],
    [{ controlPlane: gone }, "the control plane is gone"],
    [{ activeControlPlanes: 0 }, "no control plane machine is left"],
    [
      { machine: going({}, {}, { nodeRef: undefined }), nodes: { found: [], problem: undefined, since: undefined } },
      "there is no Node",
    ],
  ];
  for (const [more, expected] of table) assert.equal(nodeExemption(observed(more)), expected);
});

test("Pods are asked for only while they matter", () => {
  assert.equal(drainMatters(observed(), NOW), true);
  assert.equal(drainMatters(observed({ machine: going({ deletionTimestamp: undefined }) }), NOW), false);
  assert.equal(drainMatters(observed({ machine: going(hook("pre-drain")) }), NOW), false);
  assert.equal(drainMatters(observed({ infrastructure: there("MetalMachine", deleted) }), NOW), false);
  assert.equal(drainMatters(observed({ cluster: { metadata: deleted } as Cluster }), NOW), false);
});
