import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { emitYaml } from "../yaml/emit.ts";
import { configOf, identityText, printConfig, v1alpha1Of, withDocuments, withValue } from "./document.ts";
import { parseConfig } from "./parse.ts";

const TEXT = `# written by hand
version: v1alpha1 # the version
machine:
  type: worker
  newer: {than: us, number: 0x1F, big: 123456789012345678901234567890}
  files:
    - permissions: 0o644
      content: |
        ---
        indented, so no marker
---
# of 1.12
apiVersion: v1alpha1
kind: HostnameConfig
auto:   stable
---
apiVersion: v1alpha1
kind: VolumeConfig
name: EPHEMERAL
`;

describe("machine configuration", () => {
  for (const [name, text] of Object.entries({
    "several documents": TEXT,
    "one document": "version: v1alpha1\n",
    "without a line break at the end": "version: v1alpha1",
    "with markers around": "---\nversion: v1alpha1\n---\n\n# nothing\n---\nkind: X\n...\n",
    "with content beside a marker": "--- # one\nversion: v1alpha1\n--- {kind: X}\n",
    "with Windows line breaks": "version: v1alpha1\r\nmachine:\r\n  a: b\r\n---\r\nkind: X\r\n",
    "a certificate at the start of a line": "cert: |\n -----BEGIN\n -----END\nkind: X\n",
    nothing: "",
    "only comments": "# nothing\n---\n",
  }))
    it(`is printed byte for byte when nothing changes: ${name}`, () => assert.equal(printConfig(parseConfig(text)), text));

  it("tells its documents' identities", () => {
    const config = parseConfig(TEXT);
    assert.deepEqual(
      config.documents.map(({ identity }) => identityText(identity)),
      ["v1alpha1", "v1alpha1/HostnameConfig", "v1alpha1/VolumeConfig/EPHEMERAL"],
    );
    assert.equal(v1alpha1Of(config), config.documents[0]);
  });

  it("keeps the text of the documents, and of the fields, that are not changed", () => {
    const config = parseConfig(TEXT);
    const [first, ...others] = config.documents;
    const machine = { ...(first!.value["machine"] as JsonObject), type: "controlplane", added: ["a", { b: "yes" }] };
    const printed = printConfig(withDocuments(config, [withValue(first!, { ...first!.value, machine }), ...others]));
    assert.ok(printed.endsWith(TEXT.slice(TEXT.indexOf("---\n# of 1.12"))), printed);
    for (const kept of ["# written by hand", "v1alpha1 # the version", "0x1F", "123456789012345678901234567890", "0o644"])
      assert.ok(printed.includes(kept), `${kept} in\n${printed}`);
    assert.ok(printed.includes('b: "yes"'), "text that looks like something else is quoted");
    assert.deepEqual(parseConfig(printed).documents[0]!.value, { ...first!.value, machine });
  });

  it("keeps blocks that start with spaces, or are folded", () => {
    const config = parseConfig("kind: X\na:\n  b: |2\n     x\n    y\n  c: >\n    one\n    two\n\n    three\n");
    const [document] = config.documents;
    const value: JsonObject = { ...document!.value, added: 1 };
    const printed = printConfig(withDocuments(config, [withValue(document!, value)]));
    assert.deepEqual(parseConfig(printed).documents[0]!.value, value);
    assert.deepEqual(value["a"], { b: " x\ny\n", c: "one two\nthree\n" });
  });

  it("can lose its first document, and gain others", () => {
    const config = parseConfig(TEXT);
    const more = [
      ...config.documents.slice(1),
      ...configOf([{ apiVersion: "v1alpha1", kind: "KmsgLogConfig", name: "x" }]).documents,
    ];
    const printed = printConfig(withDocuments(config, more));
    assert.deepEqual(
      parseConfig(printed).documents.map(({ identity }) => identityText(identity)),
      ["v1alpha1/HostnameConfig", "v1alpha1/VolumeConfig/EPHEMERAL", "v1alpha1/KmsgLogConfig/x"],
    );
  });

  for (const [name, text] of Object.entries({
    "no YAML": "a: [SECRET",
    "a list": "- SECRET\n",
    "a text": "SECRET\n",
    "the same document twice": "kind: SECRET\n---\nkind: SECRET\n".replaceAll("SECRET", "X"),
    "a repeated key": "a: SECRET\na: SECRET\n",
    "an alias to nothing": "a: *SECRET\n",
    "an unknown tag": "a: !SECRET {b: c}\nb: *x\n",
    "a bomb of aliases": `a: &a [${"1,".repeat(100)}]\nb: &b [${"*a,".repeat(100)}]\nc: [${"*b,".repeat(100)}]\n`,
    "too deep a nesting": `a: ${"[".repeat(5000)}${"]".repeat(5000)}\n`,
    "too many documents": "kind: X\n---\n".repeat(300),
    "too long a text": "#".repeat(1024 * 1024 + 1),
  }))
    it(`refuses ${name}, without showing it`, () => {
      assert.throws(
        () => parseConfig(text),
        (error) => Fault.is(error, "talos.config") && error.fault === "peer" && !error.message.includes("SECRET"),
      );
    });

  const key = fc.oneof(fc.constantFrom("a", "b", "yes", "1", "", "a: b", "#", "- x", "__proto__"), fc.string());
  const leaf = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      "yes",
      "null",
      "0644",
      "0o17",
      "1e3",
      "2001-01-01",
      "a\nb\n",
      "a\nb",
      "a\n\n",
      " a\nb",
      "-",
      "- a",
      "x:",
      "a #b",
      "\t",
      "%",
      "@",
      "12:30",
    ),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof({ depthSize: "small" }, leaf as fc.Arbitrary<Json>, fc.array(tie("value")), fc.dictionary(key, tie("value"))),
  }));
  const object = fc.dictionary(key, value) as fc.Arbitrary<JsonObject>;

  it("emits YAML that says the same to readers of YAML 1.1 and 1.2", () => {
    fc.assert(
      fc.property(object, (source) => {
        const text = emitYaml(source);
        assert.ok(equal(parse(text, { version: "1.1", merge: false }), source), text);
        assert.ok(equal(parse(text), source), text);
      }),
    );
  });

  it("rewrites any document into any other", () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        const config = parseConfig(emitYaml({ ...before, kind: "X" }));
        const wanted = { ...after, kind: "X" };
        const printed = printConfig(withDocuments(config, [withValue(config.documents[0]!, wanted)]));
        assert.ok(equal(parseConfig(printed).documents[0]!.value, wanted), printed);
      }),
    );
  });
});

it("a key that is too long to stand alone is written so that it is read again", () => {
  const key = "\u0000".repeat(400);
  const value = { [key]: { [key]: [1, { [key]: "x", b: 2 }], z: "l\nm\n" }, q: [{ [key]: {} }] };
  assert.deepEqual(parse(emitYaml(value)), value);
});
