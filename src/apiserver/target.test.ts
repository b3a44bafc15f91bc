import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTarget } from "./target.ts";

const CASES: readonly (readonly [string, string | undefined, string?])[] = [
  ["/api/v1", "/api/v1"],
  ["/api/v1?watch&limit=5", "/api/v1", "watch=&limit=5"],
  ["/a%2Fb%20c", "/a/b c"],
  ["/a+b&c=d", "/a+b&c=d"],
  ["/a%2Bb", "/a+b"],
  ["/caf%C3%A9", "/café"],
  ["/%ff", "/\ufffd"],
  ["/%61pi", "/api"],
  ["/a?b=%ff", "/a", "b=\ufffd"],
  ["/a?b=c%20d+e", "/a", "b=c d e"],
  ["/a?b=%zz&c=%&d;e&f=%20", "/a", "f=+"],
  ["/%zz", undefined],
  ["/%2", undefined],
  ["/%", undefined],
  ["*", undefined],
  ["", undefined],
  ["api", undefined],
  ["%2Fapi", "/api"],
  ["http://host:1/api?x=y", "/api", "x=y"],
  ["https://host", "/", ""],
  ["https://host?x=y", "/", "x=y"],
];

for (const [target, path, query] of CASES) {
  test(`target ${JSON.stringify(target)}`, () => {
    const parsed = parseTarget(target);
    assert.equal(parsed?.path, path);
    if (query !== undefined) assert.deepEqual([...parsed!.query], [...new URLSearchParams(query)]);
  });
}

test("an encoded path is the path again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(parseTarget(`/${encodeURIComponent(text)}`)?.path, `/${text}`);
    }),
  );
});

test("anything is a target or none, never an exception", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseTarget(text)));
});
