import assert from "node:assert/strict";
import { test } from "node:test";
import { printFieldError } from "#schema/field.ts";
import { validateClass } from "./class.ts";

const operation = (more: object) => ({ definitions: [{ jsonPatches: [{ op: "add", path: "/spec/template/spec/x", ...more }] }] });

const cases: [name: string, spec: object, said: RegExp | undefined][] = [
  ["a value", { patches: [operation({ value: 1 })] }, undefined],
  ["a value of null", { patches: [operation({ value: null })] }, undefined],
  ["a removal", { patches: [operation({ op: "remove" })] }, undefined],
  [
    "two values",
    { patches: [operation({ value: 1, valueFrom: { variable: "a" } })] },
    /jsonPatches\[0\]: Required value: exactly one of/,
  ],
  ["no value", { patches: [operation({})] }, /exactly one of value, valueFrom.variable and valueFrom.template/],
  [
    "metadata",
    { patches: [operation({ value: 1, path: "/metadata/labels" })] },
    /path: Invalid value: .*must begin with \/spec\//,
  ],
  ["neither definitions nor extension", { patches: [{}] }, /exactly one of definitions and external/],
  ["a variable named builtin", { variables: [{ name: "builtin" }] }, /variables\[0\].name: .*must not be builtin/],
  ["a variable with a dot", { variables: [{ name: "a.b" }] }, /nor contain dots/],
];

for (const [name, spec, said] of cases)
  test(name, () => {
    const errors = validateClass({ apiVersion: "cluster.x-k8s.io/v1beta2", kind: "ClusterClass", metadata: {}, spec }).map(
      printFieldError,
    );
    if (said === undefined) assert.deepEqual(errors, []);
    else assert.match(errors.join("\n"), said);
  });
