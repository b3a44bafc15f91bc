import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { select, type Selection } from "./range.ts";

const ETAG = '"0123"';
const MODIFIED = Date.UTC(2030, 0, 2, 3, 4, 5);
const DATE = "Wed, 02 Jan 2030 03:04:05 GMT";
const LATER = "Wed, 02 Jan 2030 03:04:06 GMT";
const EARLIER = "Wed, 02 Jan 2030 03:04:04 GMT";

/** `200`, `206 0-4` (both inclusive), `304`. */
function short(selection: Selection): string {
  return selection.status === 206 ? `206 ${selection.start}-${selection.end - 1}` : String(selection.status);
}

const TABLE: readonly (readonly [headers: Record<string, string>, expected: string])[] = [
  [{}, "200"],
  [{ range: "bytes=0-4" }, "206 0-4"],
  [{ range: "bytes=0-0" }, "206 0-0"],
  [{ range: "BYTES=5-" }, "206 5-99"],
  [{ range: "bytes=-7" }, "206 93-99"],
  [{ range: "bytes=-700" }, "206 0-99"],
  [{ range: "bytes=90-700" }, "206 90-99"],
  [{ range: "bytes=100-" }, "416"],
  [{ range: "bytes=999999999999999-" }, "416"],
  [{ range: "bytes=-0" }, "416"],
  [{ range: "bytes=5-4" }, "200"],
  [{ range: "bytes=-" }, "200"],
  [{ range: "bytes=a-b" }, "200"],
  [{ range: "bytes=0-1,3-4" }, "200"],
  [{ range: "lines=0-4" }, "200"],
  [{ range: "bytes=0-4", "if-range": ETAG }, "206 0-4"],
  [{ range: "bytes=0-4", "if-range": '"other"' }, "200"],
  [{ range: "bytes=0-4", "if-range": `W/${ETAG}` }, "200"],
  [{ range: "bytes=0-4", "if-range": DATE }, "206 0-4"],
  [{ range: "bytes=0-4", "if-range": LATER }, "200"],
  [{ "if-none-match": ETAG }, "304"],
  [{ "if-none-match": `"x", W/${ETAG}` }, "304"],
  [{ "if-none-match": "*" }, "304"],
  [{ "if-none-match": '"x"', "if-modified-since": DATE }, "200"],
  [{ "if-modified-since": DATE }, "304"],
  [{ "if-modified-since": LATER }, "304"],
  [{ "if-modified-since": EARLIER }, "200"],
  [{ "if-modified-since": "tomorrow" }, "200"],
  [{ "if-match": ETAG }, "200"],
  [{ "if-match": '"x"' }, "412"],
  [{ "if-match": `W/${ETAG}` }, "412"],
  [{ "if-unmodified-since": DATE }, "200"],
  [{ "if-unmodified-since": EARLIER }, "412"],
  [{ "if-none-match": ETAG, range: "bytes=0-4" }, "304"],
];

for (const [headers, expected] of TABLE) {
  test(`${JSON.stringify(headers)}: ${expected}`, () => {
    assert.equal(short(select(headers, "GET", 100, { etag: ETAG, modified: MODIFIED })), expected);
  });
}

test("HEAD has no ranges, and an empty file none that can be satisfied", () => {
  const validators = { etag: ETAG, modified: MODIFIED };
  assert.equal(short(select({ range: "bytes=0-4" }, "HEAD", 100, validators)), "200");
  assert.equal(short(select({ range: "bytes=0-" }, "GET", 0, validators)), "416");
});

test("whatever is asked, what is sent lies within the file", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789-, =bytes"), maxLength: 24 });
  const size = fc.oneof(fc.nat(20), fc.constant(2 ** 40));
  fc.assert(
    fc.property(
      fc.oneof(
        digits,
        fc.nat().map((n) => `bytes=${n}-${n + 3}`),
      ),
      size,
      (range, bytes) => {
        const selection = select({ range }, "GET", bytes, { etag: ETAG, modified: MODIFIED });
        if (!("start" in selection)) return assert.equal(selection.status, 416);
        assert.ok(selection.start >= 0 && selection.end <= bytes && selection.start <= selection.end);
        assert.ok(selection.status === 200 || selection.end > selection.start);
      },
    ),
  );
});
