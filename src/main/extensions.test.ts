import assert from "node:assert/strict";
import { test } from "node:test";
import { printFieldError } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { families } from "#kinds/index.ts";
import { ourExtensions } from "./extensions.ts";

const extension = ourExtensions(families).get("metal.sidero.dev/ServerClass")!;
const context = { dryRun: false, operation: "CREATE" } as const;

function serverClass(where: string, version = "v1alpha2"): KubeObject {
  return { apiVersion: `metal.sidero.dev/${version}`, kind: "ServerClass", metadata: { name: "c" }, spec: { where } };
}

test("a class whose where does not compile is refused, with the place", () => {
  const errors = extension.validate!(serverClass("memory.totalSize >= '64Gi'"), undefined, context).map(printFieldError);
  assert.deepEqual(errors, [
    `spec.where: Invalid value: "memory.totalSize >= '64Gi'": line 1, column 18: >= compares int with string`,
  ]);
  assert.deepEqual(extension.validate!(serverClass("memory.totalSize >= quantity('64Gi')"), undefined, context), []);
});

test("v1alpha1 has no where, and keeps it", () => {
  const there = extension.convert!(serverClass("memory.totalSize > 1"), "v1alpha1");
  assert.equal((there["spec"] as { where?: string } | undefined)?.where, undefined);
  assert.deepEqual((extension.convert!(there, "v1alpha2") as { spec?: unknown }).spec, { where: "memory.totalSize > 1" });
});
