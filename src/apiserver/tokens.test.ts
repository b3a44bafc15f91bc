import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { digest } from "#io/node/digest.ts";
import { readTokens } from "./tokens.ts";

test("a file in Kubernetes' format", () => {
  const csv = 'aaa,ann,1,"devs,ops"\r\nbbb,"bob ""b""",2\n\nccc,eve,,masters\n"d,\nd",dan,4,"",more';
  const tokens = readTokens(csv, digest);
  assert.deepEqual(tokens.find("aaa"), { name: "ann", uid: "1", groups: ["devs", "ops"] });
  assert.deepEqual(tokens.find("bbb"), { name: 'bob "b"', uid: "2", groups: [] });
  assert.deepEqual(tokens.find("ccc"), { name: "eve", uid: "", groups: ["masters"] });
  assert.deepEqual(tokens.find("d,\nd"), { name: "dan", uid: "4", groups: [] });
  for (const wrong of ["", "a", "aaaa", "AAA", "ann", digest("aaa"), "__proto__"]) assert.equal(tokens.find(wrong), undefined);
});

test("no tokens, and the last of two equal ones", () => {
  assert.equal(readTokens("", digest).find(""), undefined);
  assert.equal(readTokens("a,x,1\na,y,2", digest).find("a")?.name, "y");
});

const BAD: readonly (readonly [string, string])[] = [
  ["aaa,ann", "line 1 of the token file needs at least token, user name and user uid"],
  ["a,b,c\n\n,ann,1", "line 3 of the token file has an empty token"],
  ["a,,1", "line 1 of the token file has an empty user name"],
  ['a,b,c\nsecret,"ann,1', "line 2 of the token file is not CSV: a quote in the wrong place"],
  ['secret,an"n,1', "line 1 of the token file is not CSV: a quote in the wrong place"],
  ['"secret"x,ann,1', "line 1 of the token file is not CSV: a quote in the wrong place"],
];

for (const [csv, message] of BAD) {
  test(`refused: ${message}`, () => {
    assert.throws(
      () => readTokens(csv, digest),
      (error) => Fault.is(error, "api.bad-token-file") && error.message === message,
    );
  });
}
