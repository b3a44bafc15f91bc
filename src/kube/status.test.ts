import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldPath, invalid } from "#schema/field.ts";
import type { Status } from "./status.ts";
import { faultOf, invalidFault, statusOf } from "./status.ts";

const errors = (count: number) =>
  Array.from({ length: count }, (_, i) => invalid(FieldPath.of("data").key(`k ${i}`), `k ${i}`, "bad"));

test("an answer names so many faults and counts the rest", () => {
  const few = statusOf(invalidFault("", "ConfigMap", "c", errors(2)));
  assert.equal(few.details?.causes?.length, 2);
  assert.match(few.message!, /^ConfigMap "c" is invalid: \[data\[k 0\]: .*, data\[k 1\]: Invalid value: "k 1": bad\]$/);
  const many = statusOf(invalidFault("", "ConfigMap", "c", errors(100_000)));
  assert.equal(many.details?.causes?.length, 500);
  assert.match(many.message!, /, and 99500 more\]$/);
});

test("a Status read from the wire is the fault the server raised", () => {
  const raised = invalidFault("metal.sidero.dev", "Server", "s", errors(1));
  const read = faultOf(JSON.parse(JSON.stringify(statusOf(raised))) as Status);
  assert.deepEqual([read.code, read.fault, read.retry, read.message], [raised.code, raised.fault, raised.retry, raised.message]);
  assert.deepEqual(statusOf(read), statusOf(raised));
});
