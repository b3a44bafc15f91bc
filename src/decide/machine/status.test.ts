import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Condition, KubeObject } from "#schema/meta.ts";
import { decideMachine } from "./decide.ts";
import type { ObservedMachine } from "./observed.ts";
import { availability, machineStatus, NOT_DELETING } from "./status.ts";

const NOW = Date.parse("2024-01-01T01:00:00Z");

function there(kind: string, spec: object, status: object): { is: "there"; object: KubeObject } {
  return { is: "there", object: { apiVersion: "x/v1", kind, metadata: { name: "m", uid: kind }, spec, status } };
}

const node = {
  metadata: { name: "n" },
  spec: { providerID: "p" },
  status: { conditions: [{ type: "Ready", status: "True" }], nodeInfo: { kubeletVersion: "v1.34.1", swap: {} } },
};

function observed(
  more: Partial<ObservedMachine> = {},
  machine: { spec?: object; status?: object; metadata?: object } = {},
): ObservedMachine {
  return {
    machine: {
      metadata: { name: "m", namespace: "default", generation: 2, ...machine.metadata },
      spec: {
        clusterName: "c",
        providerID: "p",
        bootstrap: { configRef: { apiGroup: "b", kind: "TalosConfig", name: "m" }, dataSecretName: "s" },
        infrastructureRef: { apiGroup: "i", kind: "MetalMachine", name: "m" },
        ...machine.spec,
      },
      status: { ...machine.status },
    } as unknown as Machine,
    cluster: {
      metadata: {},
      status: { initialization: { infrastructureProvisioned: true, controlPlaneInitialized: true } },
    } as Cluster,
    bootstrap: there("TalosConfig", {}, { initialization: { dataSecretCreated: true }, dataSecretName: "s" }),
    infrastructure: there("MetalMachine", { providerID: "p" }, { ready: true }),
    controlPlane: undefined,
    activeControlPlanes: 1,
    nodes: { found: [node], problem: undefined, since: undefined },
    isOutdated: false,
    drain: undefined,
    ...more,
  };
}

function said(facts: ObservedMachine, type: string): string {
  const { status } = machineStatus(facts, NOT_DELETING, NOW);
  const condition = status.conditions?.find((each) => each.type === type);
  return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
}

test("phases", () => {
  const nothing = { found: [], problem: undefined, since: undefined };
  const none = { providerID: undefined };
  const table: [ObservedMachine, string][] = [
    [observed(), "Running"],
    [observed({ nodes: nothing }), "Provisioned"],
    [observed({ nodes: nothing, infrastructure: there("MetalMachine", {}, {}) }, { spec: none }), "Provisioning"],
    [
      observed(
        { nodes: nothing, bootstrap: there("TalosConfig", {}, {}), infrastructure: there("MetalMachine", {}, {}) },
        { spec: none },
      ),
      "Pending",
    ],
    [
      observed(
        {},
        {
          status: {
            conditions: [
              { type: "Updating", status: "True", reason: "x", message: "", lastTransitionTime: "2024-01-01T00:00:00Z" },
            ],
          },
        },
      ),
      "Updating",
    ],
    [observed({}, { metadata: { deletionTimestamp: "2024-01-01T00:00:00Z" } }), "Deleting"],
  ];
  for (const [facts, phase] of table) assert.equal(machineStatus(facts, NOT_DELETING, NOW).status.phase, phase);
});

test("what is wrong with a Node is said, and what cannot be known is not made up", () => {
  const nodes = (more: object) => ({ found: [], problem: undefined, since: undefined, ...more });
  const had = { status: { nodeRef: { name: "n" } } };
  const table: [ObservedMachine, string][] = [
    [observed(), "True NodeHealthy: "],
    [observed({ nodes: nodes({}) }), "Unknown InspectionFailed: Waiting for a Node with spec.providerID p to exist"],
    [observed({ nodes: nodes({}) }, had), "False NodeDeleted: Node n has been deleted while the Machine still exists"],
    [observed({ nodes: nodes({ found: [node, node] }) }), "Unknown InspectionFailed: Several Nodes have providerID p: n, n"],
    [
      observed({ nodes: nodes({}) }, { spec: { providerID: undefined } }),
      "Unknown InspectionFailed: Waiting for MetalMachine to report spec.providerID",
    ],
    [
      observed({ nodes: nodes({ found: [node], problem: "no answer", since: NOW - 50_000 }) }),
      "Unknown ConnectionDown: The workload cluster cannot be reached: no answer",
    ],
    [
      observed({ cluster: { metadata: {} } as Cluster }),
      "Unknown WaitingForClusterInfrastructureReady: Waiting for Cluster status.initialization.infrastructureProvisioned to be true",
    ],
  ];
  for (const [facts, expected] of table) assert.equal(said(facts, "NodeHealthy"), expected);
  const short = observed({ nodes: nodes({ found: [node], problem: "no answer", since: NOW - 10_000 }) });
  assert.equal(said(short, "NodeHealthy"), "undefined undefined: undefined", "what was said before stands for the grace");
  assert.equal(machineStatus(short, NOT_DELETING, NOW).again, 40_000);
});

test("objects that are not there", () => {
  const table: [ObservedMachine, string][] = [
    [observed({ infrastructure: { is: "missing" } }), "Unknown ObjectDoesNotExist: does not exist"],
    [
      observed({ infrastructure: { is: "missing" } }, { status: { initialization: { infrastructureProvisioned: true } } }),
      "False ObjectDeleted: has been deleted while the Machine still exists",
    ],
    [
      observed({ infrastructure: { is: "refused", problem: "there is no such kind" } }),
      "False InvalidConfiguration: there is no such kind",
    ],
    [
      observed({ infrastructure: there("MetalMachine", {}, {}) }),
      "False NotReady: MetalMachine status.initialization.provisioned is false",
    ],
  ];
  for (const [facts, expected] of table) assert.equal(said(facts, "InfrastructureReady"), expected);
  const lost = machineStatus(table[1]![0], NOT_DELETING, NOW).status;
  assert.equal(lost.deprecated?.v1beta1?.failureReason, "InvalidConfiguration");
  assert.deepEqual(machineStatus(observed(), NOT_DELETING, NOW).status.nodeInfo, { kubeletVersion: "v1.34.1" }, "texts only");
});

test("available is ready for minReadySeconds, to the second", () => {
  const ready = (status: "True" | "False", since: string): Condition[] => [
    { type: "Ready", status, reason: "r", message: "", lastTransitionTime: since },
  ];
  assert.equal(availability(ready("True", "2024-01-01T00:59:30Z"), 0, NOW).judgement.status, "True");
  assert.deepEqual(availability(ready("True", "2024-01-01T00:59:30Z"), 31, NOW), {
    judgement: { status: "False", reason: "WaitingForMinReadySeconds", message: "Available after minReadySeconds (31)" },
    again: 1_000,
  });
  assert.equal(availability(ready("True", "2024-01-01T00:59:30Z"), 30, NOW).judgement.status, "True");
  assert.equal(availability(ready("False", "2024-01-01T00:00:00Z"), 0, NOW).judgement.status, "False");
});

test("while something cannot be known, nothing is done; when the Machine itself must change, nothing else is", () => {
  assert.deepEqual(decideMachine(observed({ infrastructure: { is: "unknown" } }), NOW), {});
  const { effects, status } = decideMachine(observed({}, { spec: { providerID: undefined } }), NOW);
  assert.deepEqual(
    effects?.map((effect) => effect.do),
    ["patch"],
  );
  assert.equal(status, undefined);
});

test("decided once more on what was written, nothing changes", () => {
  const first = machineStatus(observed(), NOT_DELETING, NOW).status;
  const again = machineStatus(observed({}, { status: first }), NOT_DELETING, NOW + 100_000).status;
  assert.deepEqual(again, first);
});
