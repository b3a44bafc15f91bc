import assert from "node:assert/strict";
import { test } from "node:test";
import { entries, entryOf } from "./secret.ts";

test("entries are text both ways", () => {
  const data = entries({ value: "a: ü\n", empty: "" });
  assert.deepEqual(data, { value: "YTogw7wK", empty: "" });
  assert.equal(entryOf({ data }, "value"), "a: ü\n");
  assert.equal(entryOf({ data }, "empty"), "");
});

test("what is not there, no base64 or no text is no entry", () => {
  assert.equal(entryOf({}, "value"), undefined);
  assert.equal(entryOf({ data: {} }, "constructor"), undefined);
  assert.equal(entryOf({ data: { value: "%" } }, "value"), undefined);
  assert.equal(entryOf({ data: { value: "/w==" } }, "value"), undefined);
});
