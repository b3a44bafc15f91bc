import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { Sealed } from "#std/sealed.ts";
import { decideTalosCluster } from "./cluster.ts";
import type { ObservedTalosCluster } from "./cluster.ts";
import { decideTalosConfig } from "./decide.ts";
import type { ObservedTalosConfig } from "./observed.ts";
import { standingOf } from "./observed.ts";

const NOW = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;
const secrets = new Sealed("hunter2");
const standing = fc.constantFrom("absent", "there", "orphaned", "stale");

const config = fc
  .record({ generateType: fc.constantFrom("controlplane", "worker", "init", "none"), created: fc.boolean() })
  .map(({ generateType, created }): TalosConfig => ({
    apiVersion: "bootstrap.cluster.x-k8s.io/v1beta1",
    kind: "TalosConfig",
    metadata: { namespace: "n", name: "m-config", uid: "u", generation: 1 },
    spec: { generateType, data: "token: hunter2" },
    ...(created ? { status: { initialization: { dataSecretCreated: true }, dataSecretName: "m-bootstrap-data" } } : {}),
  }));

const observed: fc.Arbitrary<ObservedTalosConfig<string>> = fc.record({
  config,
  paused: fc.constantFrom(undefined, "somebody says so"),
  owner: fc.option(
    fc.record({
      name: fc.constant("m"),
      isDeleting: fc.boolean(),
      dataSecretName: fc.constantFrom(undefined, "m-bootstrap-data", "other"),
    }),
    { nil: undefined },
  ),
  cluster: fc.option(
    fc.record({ namespace: fc.constant("n"), name: fc.constant("c"), uid: fc.constant("cu"), isProvisioned: fc.boolean() }),
    { nil: undefined },
  ),
  inputs: fc.constantFrom(undefined, {
    clusterName: "c",
    endpoint: "https://c:6443",
    kubernetesVersion: "",
    dnsDomain: "",
    podSubnets: [],
    serviceSubnets: [],
    hostname: "",
    infrastructureKind: "MetalMachine",
  }),
  bundle: fc.constantFrom({}, { secrets }, { problem: "it has no entry bundle" }),
  data: standing,
  hasAuthority: fc.boolean(),
  hasClient: fc.boolean(),
});

describe("a TalosConfig", () => {
  test("is settled once its effects are done, and tells nothing new later", () => {
    const property = fc.property(observed, (before) => {
      const first = decideTalosConfig(before, NOW);
      const isMade = (first.effects ?? []).length > 0;
      const { config: old } = before;
      const after: TalosConfig = { ...old, status: { ...old.status, ...first.status } as NonNullable<TalosConfig["status"]> };
      const again = decideTalosConfig({ ...before, config: after, data: isMade ? "there" : before.data }, NOW + DAY);
      assert.deepEqual(again.effects ?? [], []);
      assert.deepEqual({ ...after.status, ...again.status }, after.status);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("writes only what is absent, never while paused, and shows no secret", () => {
    const property = fc.property(observed, (before) => {
      const decision = decideTalosConfig(before, NOW);
      assert.doesNotMatch(JSON.stringify(decision), /hunter2/);
      for (const effect of decision.effects ?? []) {
        assert.equal(before.paused, undefined);
        assert.equal(effect.do, before.data === "absent" ? "write-data" : "own-data");
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

const cluster: fc.Arbitrary<ObservedTalosCluster<string>> = fc.record({
  cluster: fc.constant({ namespace: "n", name: "c", uid: "cu" }),
  isActive: fc.boolean(),
  generates: fc.constantFrom(undefined, { talosVersion: "v1.13" }),
  hasControlPlane: fc.boolean(),
  endpoints: fc.constantFrom([], ["10.0.0.1"]),
  bundle: standing,
  kubernetes: fc.constantFrom(undefined, secrets),
  talos: fc.constantFrom(undefined, secrets),
  authority: standing,
  client: standing,
  access: fc.option(
    fc.record({
      endpoints: fc.constantFrom([], ["10.0.0.1"]),
      end: fc.integer({ min: -10, max: 365 }).map((days) => NOW + days * DAY),
    }),
    { nil: undefined },
  ),
});

describe("what a cluster's machines share", () => {
  test("is never made twice, nor for a cluster that is paused or going", () => {
    const property = fc.property(cluster, (before) => {
      const { effects } = decideTalosCluster(before, NOW);
      assert.doesNotMatch(JSON.stringify(effects), /hunter2/);
      if (!before.isActive) assert.deepEqual(effects, []);
      for (const effect of effects) {
        if (effect.do === "make-bundle") assert.equal(before.bundle, "absent");
        if (effect.do === "write-authority") assert.equal(before.authority, "absent");
        if (effect.do === "write-client") assert.notEqual(before.client, "stale");
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });

  const settled: ObservedTalosCluster<string> = {
    cluster: { namespace: "n", name: "c", uid: "cu" },
    isActive: true,
    generates: undefined,
    hasControlPlane: true,
    endpoints: ["10.0.0.1"],
    bundle: "there",
    kubernetes: secrets,
    talos: secrets,
    authority: "there",
    client: "there",
    access: { endpoints: ["10.0.0.1"], end: NOW + 365 * DAY },
  };

  for (const [left, mint, again] of [
    [365, false, 1],
    [183, false, 0.5],
    [182.5, true, 1],
    [-1, true, 1],
  ] as const)
    test(`with ${left} days left, the client certificate is ${mint ? "renewed" : "kept"}`, () => {
      const decision = decideTalosCluster({ ...settled, access: { endpoints: ["10.0.0.1"], end: NOW + left * DAY } }, NOW);
      assert.deepEqual(
        decision.effects.map((effect) => effect.do === "write-client" && effect.mint),
        mint ? [true] : [],
      );
      assert.equal(decision.again, again * DAY);
    });

  test("other addresses are written with the certificate that is there", () => {
    const [effect] = decideTalosCluster({ ...settled, endpoints: ["10.0.0.2"] }, NOW).effects;
    assert.deepEqual(effect?.do === "write-client" && [effect.mint, effect.isNew, effect.endpoints], [
      false,
      false,
      ["10.0.0.2"],
    ]);
  });
});

test("how a Secret stands to its owner", () => {
  const owner = { kind: "Cluster", uid: "u" };
  const of = (metadata: Parameters<typeof standingOf>[0]) => standingOf(metadata, owner, "c");
  const reference = (kind: string, uid: string) => ({ apiVersion: "x/v1", kind, uid });
  const labels = { "cluster.x-k8s.io/cluster-name": "c" };
  assert.equal(of(undefined), "absent");
  assert.equal(of({ labels, ownerReferences: [reference("Cluster", "u")] }), "there");
  assert.equal(of({ labels, ownerReferences: [reference("Cluster", "old")] }), "stale");
  assert.equal(of({ labels, ownerReferences: [reference("Cluster", "old"), reference("Cluster", "u")] }), "there");
  assert.equal(of({ labels, ownerReferences: [reference("TalosControlPlane", "x")] }), "there");
  assert.equal(of({ labels }), "orphaned");
  assert.equal(of({ labels: { "cluster.x-k8s.io/cluster-name": "other" } }), "there");
  assert.equal(of({}), "there");
});
