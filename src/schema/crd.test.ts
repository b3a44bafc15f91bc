import assert from "node:assert/strict";
import { test } from "node:test";
import { toCrd } from "./crd.ts";
import { older } from "./family.ts";
import type { Family } from "./family.ts";
import { kind } from "./kind.ts";
import { int32, object, string } from "./kit.ts";
import { toReference } from "./reference.ts";

const base = { group: "example.dev", kind: "Rack", plural: "racks", scope: "Namespaced", doc: "A rack." } as const;
const Rack = kind({
  ...base,
  version: "v2",
  shortNames: ["rk"],
  categories: ["all"],
  columns: [{ name: "Units", type: "integer", jsonPath: ".spec.units" }],
  spec: object({ units: int32().required().min(1).doc("Height | units.") }),
  status: object({ replicas: int32() }),
  scale: { specReplicasPath: ".spec.units", statusReplicasPath: ".status.replicas" },
});
const OldRack = kind({ ...base, version: "v1", spec: object({ height: string() }) });
const packaging = { labels: { app: "x" }, webhook: { namespace: "ns", service: "hook", certificate: "cert" } };
const single: Family = { ...packaging, storage: Rack, older: [] };
const double: Family = {
  ...packaging,
  storage: Rack,
  older: [
    older<typeof OldRack, typeof Rack>({
      kind: OldRack,
      up: ({ spec }) => ({ spec: { units: Number(spec?.height ?? 1) } }),
      down: ({ spec }) => ({ spec: { height: String(spec?.units ?? 1) } }),
    }),
  ],
};

test("a family of one version asks for no conversion", () => {
  assert.deepEqual(toCrd(single), {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "racks.example.dev", labels: { app: "x" } },
    spec: {
      group: "example.dev",
      scope: "Namespaced",
      names: { kind: "Rack", listKind: "RackList", plural: "racks", singular: "rack", shortNames: ["rk"], categories: ["all"] },
      versions: [
        {
          name: "v2",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: Rack.schema },
          additionalPrinterColumns: [{ name: "Units", type: "integer", jsonPath: ".spec.units" }],
          subresources: { status: {}, scale: { specReplicasPath: ".spec.units", statusReplicasPath: ".status.replicas" } },
        },
      ],
    },
  });
});

test("a family of several versions has a webhook whose certificate cert-manager injects", () => {
  const { metadata, spec } = toCrd(double);
  assert.deepEqual(metadata.annotations, { "cert-manager.io/inject-ca-from": "ns/cert" });
  assert.deepEqual(spec.conversion, {
    strategy: "Webhook",
    webhook: {
      clientConfig: { service: { namespace: "ns", name: "hook", path: "/convert" } },
      conversionReviewVersions: ["v1", "v1beta1"],
    },
  });
  assert.deepEqual(
    spec.versions.map(({ name, storage, subresources }) => [name, storage, subresources !== undefined]),
    [
      ["v2", true, true],
      ["v1", false, false],
    ],
  );
});

test("the reference page names every field, its type and its bounds", () => {
  const lines = toReference([double]).split("\n");
  assert.ok(lines.includes("| `spec.units` | int32, required | Height \\| units. At least 1. |"), lines.join("\n"));
  assert.ok(lines.includes("### Rack v1"));
  assert.ok(
    lines.some((line) => line.includes("versions v2 (stored), v1; namespaced; for kubectl `racks`, `rack`, `rk`, in `all`.")),
  );
});
