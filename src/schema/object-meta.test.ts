import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../test/vectors/schema/metadata.json" with { type: "json" };
import { FieldPath } from "./field.ts";
import type { ObjectMeta } from "./meta.ts";
import { configKey, label1035Name, labelName } from "./names.ts";
import { validateMetaForCreate, validateMetaForUpdate } from "./object-meta.ts";

const path = FieldPath.of("metadata");
const stored: ObjectMeta = { name: "old", namespace: "default", uid: "1", resourceVersion: "5", labels: { a: "b" } };

test("metadata is accepted and refused as a genuine server does", () => {
  for (const { custom, operation, metadata, causes } of vectors.cases) {
    const rules = { namespaced: true, custom, strategy: { hasGeneration: custom } };
    const meta = metadata as unknown as ObjectMeta;
    const errors =
      operation === "create"
        ? validateMetaForCreate({ namespace: "default", ...meta }, rules, path)
        : validateMetaForUpdate({ ...stored, ...meta }, stored, rules, path);
    const found = errors.map((error) => [error.type, error.field, error.body]);
    assert.deepEqual(found, causes ?? [], JSON.stringify({ custom, operation, metadata }));
  }
});

test("annotations are bounded by their total size in bytes", () => {
  const rules = { namespaced: false, custom: true, strategy: { hasGeneration: true } };
  const withSize = (size: number): ObjectMeta => ({ name: "x", annotations: { a: "x", b: "é".repeat((size - 3) / 2) } });
  assert.deepEqual(validateMetaForCreate(withSize(262_143), rules, path), []);
  assert.deepEqual(
    validateMetaForCreate(withSize(262_145), rules, path).map((error) => error.body),
    ["Too long: may not be more than 262144 bytes"],
  );
});

test("what is immutable stays, and no finalizer joins an object that is being deleted", () => {
  const rules = { namespaced: true, custom: true, strategy: { hasGeneration: true } };
  const old: ObjectMeta = { ...stored, finalizers: ["a.b/c"], deletionTimestamp: "2026-01-01T00:00:00Z" };
  const errors = validateMetaForUpdate({ ...old, uid: "2", finalizers: ["a.b/c", "z", "b"] }, old, rules, path);
  assert.deepEqual(
    errors.slice(0, 2).map((error) => `${error.field}: ${error.body}`),
    [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b", "z"}',
      'metadata.uid: Invalid value: "2": field is immutable',
    ],
  );
  assert.deepEqual(validateMetaForUpdate({ ...old, finalizers: [] }, old, rules, path), []);
});

test("a kind may have a name rule of its own", () => {
  const rules = { namespaced: false, custom: false, strategy: { hasGeneration: false, nameMessage: labelName } };
  assert.deepEqual(
    validateMetaForCreate({ name: "a.b" }, rules, path).map((error) => error.body),
    ['Invalid value: "a.b": must not contain dots'],
  );
  assert.equal(label1035Name("1a").length, 1);
  assert.deepEqual(label1035Name("a1"), []);
  assert.deepEqual(configKey("..x"), ["must not start with '..'"]);
  assert.equal(configKey("a b").length, 1);
});
