import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CONVERSION_DATA } from "#schema/conversion.ts";
import { convert, toExtension } from "#schema/family.ts";
import { printFieldError } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { validate as validateSchema } from "#schema/validate.ts";
import { clone, type JsonObject } from "#std/json.ts";
import { coreFamilies } from "./families.ts";

const template = {
  spec: {
    clusterName: "c",
    version: "1.34.1",
    bootstrap: { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfigTemplate", name: "w" } },
    infrastructureRef: { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachineTemplate", name: "w" },
  },
};

function familyOf(kind: string) {
  return coreFamilies.find(({ storage }) => storage.kind === kind)!;
}
function make(kind: string, spec: object, metadata: object = {}, version = "v1beta2"): KubeObject {
  return { apiVersion: `cluster.x-k8s.io/${version}`, kind, metadata: { name: "w", namespace: "n", ...metadata }, spec };
}
/** What admission makes of an object that is sent, and what it says of it. */
function admit(sent: KubeObject, old?: KubeObject): { object: KubeObject; errors: string[] } {
  const object = clone(sent);
  const extension = toExtension(familyOf(object.kind));
  const context = { dryRun: false, operation: old === undefined ? "CREATE" : "UPDATE" } as const;
  extension.default!(object, old, context);
  return { object, errors: extension.validate!(object, old, context).map(printFieldError) };
}
function spec(object: KubeObject): Record<string, never> & JsonObject {
  return object["spec"] as never;
}

describe("defaults", () => {
  for (const version of ["v1beta2", "v1beta1"])
    test(`a MachineDeployment in ${version} that says as little as it may`, () => {
      const references =
        version === "v1beta2"
          ? template
          : { spec: { ...template.spec, bootstrap: { dataSecretName: "d" }, infrastructureRef: { kind: "M", name: "w" } } };
      const { object, errors } = admit(make("MachineDeployment", { clusterName: "c", template: references }, {}, version));
      assert.deepEqual(errors, []);
      const labels = { "cluster.x-k8s.io/deployment-name": "w", "cluster.x-k8s.io/cluster-name": "c" };
      assert.deepEqual(object.metadata.labels, { "cluster.x-k8s.io/cluster-name": "c" });
      const { selector, template: made, replicas, rollout, strategy } = spec(object) as Record<string, JsonObject>;
      assert.deepEqual([selector, made!["metadata"], replicas], [{ matchLabels: labels }, { labels }, 1]);
      assert.equal((made!["spec"] as JsonObject)["version"], "v1.34.1");
      const rolling = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
      assert.deepEqual(version === "v1beta2" ? rollout : { strategy }, { strategy: rolling });
      assert.deepEqual(admit(object).object, object, "defaults settle after one round");
    });

  test("a MachineSet has a selector of its own, and what it says stays", () => {
    const plain = admit(make("MachineSet", { clusterName: "c", template })).object;
    assert.deepEqual(spec(plain)["selector"], { matchLabels: { "cluster.x-k8s.io/set-name": "w" } });
    const labels = { app: "x" };
    const said = {
      clusterName: "c",
      replicas: 0,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { labels } },
    };
    const { replicas, selector } = spec(admit(make("MachineSet", said)).object);
    assert.deepEqual([replicas, selector], [0, { matchLabels: labels }]);
  });

  const autoscaled = {
    annotations: {
      "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size": "3",
      "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size": "7",
    },
  };
  for (const [before, wanted] of [
    [undefined, 3],
    [1, 3],
    [5, 5],
    [9, 7],
  ] as const)
    test(`an autoscaled one that had ${before ?? "no"} machines is to have ${wanted}`, () => {
      const old = before === undefined ? undefined : make("MachineSet", { clusterName: "c", replicas: before, template });
      assert.equal(spec(admit(make("MachineSet", { clusterName: "c", template }, autoscaled), old).object)["replicas"], wanted);
    });

  test("what has another shape than it should is left to the schema", () => {
    for (const wrong of [
      { template: 7 },
      { template: { metadata: [] } },
      { template, selector: "x" },
      { template: null },
      "spec",
    ])
      for (const kind of ["MachineSet", "MachineDeployment", "MachineHealthCheck"]) {
        const sent = make(kind, wrong as object);
        assert.doesNotThrow(() => toExtension(familyOf(kind)).default!(sent, undefined, { dryRun: false, operation: "CREATE" }));
      }
  });

  test("a MachineHealthCheck", () => {
    const { object, errors } = admit(make("MachineHealthCheck", { clusterName: "c", selector: { matchLabels: { a: "b" } } }));
    assert.deepEqual(errors, []);
    const { checks, remediation } = spec(object);
    assert.deepEqual(checks, { nodeStartupTimeoutSeconds: 600 });
    assert.deepEqual(remediation, { triggerIf: { unhealthyLessThanOrEqualTo: "100%" } });
  });
});

describe("refusals", () => {
  const selector = { matchLabels: { a: "b" } };
  const labelled = { ...template, metadata: { labels: { a: "b" } } };
  const rolling = (rollingUpdate: object) => ({ rollout: { strategy: { type: "RollingUpdate", rollingUpdate } } });
  const cases: [name: string, kind: string, more: object, said: RegExp | undefined][] = [
    ["maxSurge 0 with some unavailable", "MachineDeployment", rolling({ maxSurge: 0, maxUnavailable: 1 }), undefined],
    ["maxSurge 0 alone", "MachineDeployment", rolling({ maxSurge: 0 }), /maxUnavailable: .*cannot be 0 when maxSurge is 0/],
    ["both 0%", "MachineDeployment", rolling({ maxSurge: "0%", maxUnavailable: "0%" }), /cannot be 0 when maxSurge is 0/],
    ["half a machine", "MachineDeployment", rolling({ maxSurge: "x" }), /maxSurge: .*must be a whole number/],
    ["another cluster in the template", "MachineDeployment", { clusterName: "d" }, /template.spec.clusterName: .*same as/],
    ["a selector for others", "MachineSet", { selector: { matchLabels: { a: "c" } } }, /labels: .*must match spec.selector/],
    ["no version", "MachineSet", { template: { ...labelled, spec: { ...template.spec, version: "v1.x" } } }, /semantic version/],
    ["no node for 20 s", "MachineHealthCheck", { checks: { nodeStartupTimeoutSeconds: 20 } }, /must be 0 or at least 30/],
    ["nodes never waited for", "MachineHealthCheck", { checks: { nodeStartupTimeoutSeconds: 0 } }, undefined],
    ["no machines", "MachineHealthCheck", { selector: {} }, /selector must not be empty/],
    [
      "a check of itself",
      "MachineHealthCheck",
      { checks: { unhealthyMachineConditions: [{ type: "Ready", status: "False", timeoutSeconds: 1 }] } },
      /must not be one of Ready/,
    ],
  ];
  for (const [name, kind, more, said] of cases)
    test(`${kind}: ${name}`, () => {
      const { errors } = admit(
        make(kind, { clusterName: "c", selector, ...(kind === "MachineHealthCheck" ? {} : { template: labelled }), ...more }),
      );
      if (said === undefined) assert.deepEqual(errors, []);
      else assert.match(errors.join("\n"), said);
    });

  test("a set stays with its cluster", () => {
    const old = make("MachineSet", { clusterName: "d", template: { ...template, spec: { ...template.spec, clusterName: "d" } } });
    assert.match(
      admit(make("MachineSet", { clusterName: "c", template }), old).errors.join(),
      /spec.clusterName: Forbidden: field is immutable/,
    );
  });

  test("names that would all be the same", () => {
    const naming = (text: string) =>
      admit(make("MachineSet", { clusterName: "c", template, machineNaming: { template: text } })).errors;
    assert.deepEqual(naming("{{ .cluster.name }}-{{.random}}"), []);
    assert.match(naming("{{ .cluster.name }}").join(), /must contain {{ .random }}/);
  });
});

describe("v1beta1", () => {
  const metadata = { labels: { a: "b" } };
  const common = { clusterName: "c", replicas: 3, selector: { matchLabels: { a: "b" } } };
  const full: Record<string, object> = {
    MachineSet: {
      spec: {
        ...common,
        template: { metadata, spec: { ...template.spec, minReadySeconds: 5, deletion: { nodeDrainTimeoutSeconds: 60 } } },
        machineNaming: { template: "x-{{ .random }}" },
        deletion: { order: "Oldest" },
      },
      status: {
        conditions: [{ type: "MachinesReady", status: "True", reason: "Ready", lastTransitionTime: "2026-01-01T00:00:00Z" }],
        selector: "a=b",
        replicas: 3,
        readyReplicas: 2,
        availableReplicas: 1,
        upToDateReplicas: 3,
        observedGeneration: 4,
        versions: [{ version: "v1.34.1", replicas: 3 }],
        deprecated: { v1beta1: { failureReason: "X" } },
      },
    },
    MachineDeployment: {
      spec: {
        ...common,
        template: { metadata, spec: { ...template.spec, minReadySeconds: 5 } },
        rollout: {
          after: "2026-01-01T00:00:00Z",
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 1 } },
        },
        remediation: { maxInFlight: 2 },
        deletion: { order: "Newest" },
        paused: true,
      },
      status: { replicas: 3, availableReplicas: 1, phase: "ScalingUp", versions: [{ version: "v1.34.1", replicas: 3 }] },
    },
    MachineHealthCheck: {
      spec: {
        clusterName: "c",
        selector: { matchLabels: { a: "b" } },
        checks: {
          nodeStartupTimeoutSeconds: 90,
          unhealthyNodeConditions: [{ type: "Ready", status: "Unknown", timeoutSeconds: 300 }],
          unhealthyMachineConditions: [{ type: "NodeHealthy", status: "False", timeoutSeconds: 10 }],
        },
        remediation: {
          triggerIf: { unhealthyInRange: "[3-5]" },
          templateRef: { apiVersion: "x.example.io/v1", kind: "RebootTemplate", name: "r" },
        },
      },
      status: { expectedMachines: 3, currentHealthy: 2, remediationsAllowed: 1, targets: ["a"], observedGeneration: 1 },
    },
  };
  for (const [kind, body] of Object.entries(full))
    test(`${kind} loses nothing on the way there and back, and both fit their schemas`, () => {
      const family = familyOf(kind);
      const hub: KubeObject = { apiVersion: "cluster.x-k8s.io/v1beta2", kind, metadata: { name: "w" }, ...body };
      const old = convert(family, hub, "v1beta1");
      const { apiVersion: _v, kind: _k, metadata: _m, ...fields } = old;
      assert.deepEqual(validateSchema(fields as JsonObject, family.older[0]!.kind.schema), []);
      assert.deepEqual(validateSchema(body as JsonObject, family.storage.schema), []);
      assert.deepEqual(convert(family, old, "v1beta2"), hub);
    });

  test("what an older client says arrives where it is now", () => {
    const old = make(
      "MachineDeployment",
      {
        ...common,
        template,
        minReadySeconds: 7,
        strategy: { rollingUpdate: { deletePolicy: "Oldest", maxSurge: 2 } },
        revisionHistoryLimit: 3,
      },
      {},
      "v1beta1",
    );
    const { metadata: kept, spec: said } = convert(familyOf("MachineDeployment"), old, "v1beta2") as KubeObject & {
      spec: JsonObject;
    };
    assert.deepEqual(said["rollout"], { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2 } } });
    assert.deepEqual(said["deletion"], { order: "Oldest" });
    assert.equal(((said["template"] as JsonObject)["spec"] as JsonObject)["minReadySeconds"], 7);
    assert.match(kept.annotations?.[CONVERSION_DATA] ?? "", /"revisionHistoryLimit":3/);
  });
});
