import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "./log.ts";

test("what machines say cannot write to the terminal of whoever reads the log", () => {
  const evil = "\u001b]0;owned\u0007\r\n00:00:00.000 info  all is well\u202e";
  const line = JSON.stringify({
    level: "warn",
    time: "2030-01-01T00:00:00.000Z",
    msg: `boots ${evil}`,
    file: "\u001b[2J",
    host: "ü",
  });
  const text = textOf(line);
  assert.match(text, /^00:00:00\.000 .*warn/);
  assert.ok(text.includes(String.raw`boots \u{1b}]0;owned\u{7}\u{d}\u{a}00:00:00.000`) && text.includes(String.raw`\u{202e}`));
  assert.ok(text.includes(String.raw`file=\u{1b}[2J host=ü`));
  assert.equal(text.indexOf("\n"), text.length - 1, "one line");
});
