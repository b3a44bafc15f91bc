import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { inOrder, parseManifests } from "./manifests.ts";

const names = (text: string): string[] => parseManifests(text).map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test("documents and Lists are taken apart, empty ones passed over", () => {
  const text = `---\n---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n`;
  assert.deepEqual(names(text), ["A a", "B b"]);
  assert.deepEqual(names('{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}'), ["A a"]);
  assert.deepEqual(names(""), []);
});

test("namespaces and definitions come before what needs them", () => {
  const text = ["Deployment", "CustomResourceDefinition", "Namespace", "Role"].map(
    (kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: x}\n`,
  );
  assert.deepEqual(
    inOrder(parseManifests(text.join("---\n"))).map(({ kind }) => kind),
    ["Namespace", "CustomResourceDefinition", "Deployment", "Role"],
  );
});

test("whatever the text, it is read or refused with kube.manifest, whose words say nothing of it", () => {
  for (const text of ["hunter2", "a: [hunter2", "kind: hunter2\n", "&a [*a, *a, hunter2]"]) {
    assert.throws(
      () => parseManifests(text),
      (error) => Fault.is(error, "kube.manifest") && !error.message.includes("hunter2"),
    );
  }
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
  assert.throws(
    () => parseManifests(bomb),
    (error) => Fault.is(error, "kube.manifest"),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 100 }), fc.json()), (text) => {
      try {
        parseManifests(text);
      } catch (error) {
        assert.ok(Fault.is(error, "kube.manifest"), String(error));
      }
    }),
  );
});
