/** The harness itself: what it takes for a difference and what not. A comparison that cannot fail proves nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, explains, readKnown } from "./difference.ts";
import { Normalizer } from "./normalize.ts";

const A = "11111111-2222-4333-8444-555555555555";
const B = "66666666-7777-4888-8999-000000000000";

function normal(...values: unknown[]): unknown[] {
  const normalizer = new Normalizer();
  return values.map((value) => normalizer.value(value));
}

test("differences are named by their way into the answer", () => {
  assert.deepEqual(differences({ a: [1, { b: 2 }], c: 3 }, { c: 3, a: [1, { b: 2 }] }), []);
  assert.deepEqual(differences([{ a: [1, { b: 2 }] }], [{ a: [1, { b: 3 }] }]), [{ path: "0.a.1.b", ours: 2, genuine: 3 }]);
  assert.deepEqual(differences({ a: null }, {}), [{ path: "a", ours: null, genuine: undefined }]);
  assert.deepEqual(differences([], {}), [{ path: "", ours: [], genuine: {} }]);
});

test("a known difference explains its own case and path only", () => {
  const [known] = readKnown("| case | path | reason |\n| --- | --- | --- |\n| `list: *` | `1.body.*message` | words |\n");
  const at = (path: string) => ({ path, ours: 1, genuine: 2 });
  assert.equal(known!.reason, "words");
  assert.ok(explains(known!, "list: a+b", at("1.body.details.message")));
  assert.ok(!explains(known!, "list: a+b", at("1.body.code")));
  assert.ok(!explains(known!, "get: a", at("1.body.message")));
  assert.ok(!explains(known!, "list: a", at("11.body.message")));
});

test("identities and revisions keep their likeness, whatever they are", () => {
  const write = (uid: string, owner: string, resourceVersion: string) => ({
    metadata: { uid, resourceVersion, ownerReferences: [{ uid: owner }] },
    message: `uid ${uid}`,
  });
  assert.deepEqual(normal(write(A, B, "5"), write(B, A, "7")), normal(write(B, A, "105"), write(A, B, "300")));
  assert.notDeepEqual(normal(write(A, A, "5")), normal(write(A, B, "5")));
  assert.notDeepEqual(normal(write(A, A, "5"), write(A, A, "5")), normal(write(A, A, "5"), write(A, A, "6")));
});

test("the moment goes, a time that was written stays", () => {
  const [now, then] = normal(new Date().toISOString(), "2020-01-01T00:00:00Z");
  assert.equal(now, "<now>");
  assert.equal(then, "2020-01-01T00:00:00Z");
});

test("made-up names go, given ones stay", () => {
  const named = (name: string) => ({ metadata: { generateName: "made-", name } });
  assert.deepEqual(normal(named("made-abcde")), normal(named("made-xyz12")));
  assert.notDeepEqual(normal({ metadata: { name: "made-abcde" } }), normal({ metadata: { name: "made-xyz12" } }));
});
