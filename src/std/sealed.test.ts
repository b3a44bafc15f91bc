import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Sealed } from "./sealed.ts";

test("a sealed value is seen only by who asks for it", () => {
  const sealed = new Sealed({ token: "hunter2" });
  const effect = { do: "write", sealed };
  for (const text of [JSON.stringify(effect), inspect(effect, { depth: 9, showHidden: true }), String(sealed)]) {
    assert.match(text, /\*\*\*/);
    assert.doesNotMatch(text, /hunter2/);
  }
  assert.deepEqual(sealed.reveal(), { token: "hunter2" });
});
