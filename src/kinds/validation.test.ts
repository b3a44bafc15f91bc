import assert from "node:assert/strict";
import { test } from "node:test";
import { toExtension, versionsOf } from "#schema/family.ts";
import { printFieldError } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { JsonObject } from "#std/json.ts";
import { validate } from "#schema/validate.ts";
import { families } from "./index.ts";

/** What schema and rules say of an object; both have their own paths through the server, and the user sees either. */
function verdict(object: KubeObject, old?: KubeObject, dryRun = false): string[] {
  const family = families.find(({ storage }) => storage.kind === object.kind)!;
  const kind = versionsOf(family).find(({ apiVersion }) => apiVersion === object.apiVersion)!;
  const operation = old === undefined ? "CREATE" : "UPDATE";
  const schema = validate(object as unknown as JsonObject, kind.schema);
  return [...schema, ...toExtension(family).validate!(object, old, { dryRun, operation })].map(printFieldError);
}

function metal(version: string, kind: string, spec: object): KubeObject {
  return { apiVersion: `metal.sidero.dev/${version}`, kind, metadata: { name: "x" }, spec };
}

const secretKeyRef = { namespace: "a", name: "b", key: "c" };

for (const version of ["v1alpha1", "v1alpha2"]) {
  const server = (fields: object) => verdict(metal(version, "Server", { accepted: true, ...fields }));
  const serverClass = (fields: object) => verdict(metal(version, "ServerClass", fields));

  test(`${version}: boot choices are known ones, and each error shows its own value`, () => {
    assert.deepEqual(server({ bootFromDiskMethod: "floppy", pxeMode: "" }), [
      'spec.bootFromDiskMethod: Unsupported value: "floppy": supported values: "", "ipxe-exit", "http-404", "ipxe-sanboot"',
    ]);
    assert.deepEqual(server({ bootFromDiskMethod: "ipxe-exit", pxeMode: "legacy" }), [
      'spec.pxeMode: Unsupported value: "legacy": supported values: "", "uefi", "bios"',
    ]);
    assert.equal(serverClass({ bootFromDiskMethod: "floppy" }).length, 1);
  });

  test(`${version}: credentials stand in one place`, () => {
    const bmc = { endpoint: "10.0.0.1", user: "u", userFrom: { secretKeyRef }, pass: "p", passFrom: { secretKeyRef } };
    assert.deepEqual(server({ bmc }), [
      "spec.bmc.userFrom: Invalid value: user and userFrom cannot be used together",
      "spec.bmc.passFrom: Invalid value: pass and passFrom cannot be used together",
    ]);
    assert.deepEqual(server({ bmc: { ...bmc, user: "", pass: "" } }), []);
    assert.deepEqual(server({ bmc: { endpoint: "10.0.0.1", user: "u", passFrom: { secretKeyRef } } }), []);
  });

  test(`${version}: configPatches are operations of RFC 6902 on pointers of RFC 6901`, () => {
    for (const judge of [server, serverClass]) {
      const patch = (operation: object) => judge({ configPatches: [{ op: "add", path: "/a", value: 1 }, operation] });
      for (const path of ["", "/", "/a/0", "/a~1b/~0", "//", "/ü\n"]) assert.deepEqual(patch({ op: "remove", path }), [], path);
      for (const path of ["a", "#/a", "/a~", "/a~2b", "a/"]) assert.equal(patch({ op: "remove", path }).length, 1, path);
      const operations = '"add", "copy", "move", "remove", "replace", "test"';
      assert.deepEqual(patch({ op: "merge", path: "/a" }), [
        `spec.configPatches[1].op: Unsupported value: "merge": supported values: ${operations}`,
      ]);
      assert.deepEqual(patch({ op: "move", path: "/a" }), [
        "spec.configPatches[1].from: Required value: from is required when op is copy or move",
      ]);
      assert.deepEqual(patch({ op: "copy", path: "/a", from: "/b" }), []);
      assert.equal(patch({ op: "copy", path: "/a", from: "b" }).length, 1);
    }
  });
}

test("strategic patches are YAML mappings", () => {
  const patches = (...strategicPatches: string[]) => [
    ...verdict(metal("v1alpha2", "Server", { accepted: true, strategicPatches })),
    ...verdict(metal("v1alpha2", "ServerClass", { strategicPatches })),
  ];
  const good = [
    "",
    "# nothing\n",
    "machine: {}",
    "a: 1\n---\napiVersion: v1alpha1\nkind: X\n",
    '{"a": [1, {"b": null}]}',
    "a: &x {b: 1}\nc: *x\n",
  ];
  assert.deepEqual(patches(...good), []);
  const problemsOf = (text: string) => {
    const [first, second, ...rest] = patches("a: 1", text);
    assert.equal(first, second);
    assert.deepEqual(rest, []);
    return first;
  };
  const at = "spec.strategicPatches[1]: Invalid value:";
  assert.equal(problemsOf("a: b: c"), `${at} must be YAML: line 1: Nested mappings are not allowed in compact mappings`);
  assert.match(problemsOf("a: 1\nb: [")!, /must be YAML: line 2: /);
  assert.equal(problemsOf("just text"), `${at} must be YAML mappings: line 1 starts something else`);
  assert.equal(problemsOf("a: 1\n---\n- op: add"), `${at} must be YAML mappings: line 3 starts something else`);
  assert.equal(problemsOf("a:\n  b: 1\n  c: 2\n  b: 3"), `${at} must be YAML: line 4: a key is repeated`);
  assert.doesNotMatch(problemsOf("token: hunter2\nx: 'y")!, /hunter2/);
});

test("strategic patches have an end", () => {
  assert.deepEqual(verdict(metal("v1alpha2", "ServerClass", { strategicPatches: ["a: 1", "#".repeat(300_000)] })), [
    "spec.strategicPatches: Too long: may not be more than 262144 bytes",
  ]);
});

test("selectors parse", () => {
  for (const version of ["v1alpha1", "v1alpha2"]) {
    const selector = { matchLabels: { "a b": "x" }, matchExpressions: [{ key: "zone", operator: "Near", values: ["here"] }] };
    const errors = verdict(metal(version, "ServerClass", { selector }));
    assert.equal(errors.length, 2);
    assert.match(errors[0]!, /^spec\.selector\.matchLabels: Invalid value: "a b": /);
    assert.equal(errors[1], 'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator');
  }
});

test("what was stored before a rule existed can be changed elsewhere", () => {
  const patches = { strategicPatches: ["a: ["], bmc: { endpoint: "e", user: "u", userFrom: {} } };
  const old = metal("v1alpha2", "Server", { accepted: false, ...patches });
  assert.deepEqual(verdict(metal("v1alpha2", "Server", { accepted: true, ...patches }), old), []);
});

test("too many pairings of processor and system are refused", () => {
  const cpu = Array.from({ length: 65 }, (_, i) => ({ version: `${i}` }));
  const systemInformation = cpu.map(({ version }) => ({ family: version }));
  assert.deepEqual(verdict(metal("v1alpha1", "ServerClass", { qualifiers: { cpu, systemInformation } })), [
    "spec.qualifiers: Invalid value: cpu and systemInformation cannot have more than 4096 pairings",
  ]);
  assert.deepEqual(verdict(metal("v1alpha1", "ServerClass", { qualifiers: { cpu, systemInformation: [] } })), []);
});

for (const [kind, version] of [
  ["MetalMachineTemplate", "v1alpha2"],
  ["MetalMachineTemplate", "v1alpha3"],
  ["MetalClusterTemplate", "v1alpha3"],
] as const) {
  test(`${kind} ${version}: the spec never changes, but for the topology controller's dry runs`, () => {
    const template = (spec: object, metadata: object = {}): KubeObject => ({
      apiVersion: `infrastructure.cluster.x-k8s.io/${version}`,
      kind,
      metadata: { name: "x", ...metadata },
      spec: { template: { spec } },
    });
    const changed =
      kind === "MetalClusterTemplate" ? { controlPlaneEndpoint: { host: "h", port: 1 } } : { providerID: "sidero://x" };
    const asked = { annotations: { "topology.cluster.x-k8s.io/dry-run": "" } };
    const refusal = [`spec.template.spec: Forbidden: ${kind} spec is immutable: create a new ${kind} and refer to that`];
    assert.deepEqual(verdict(template(changed)), []);
    assert.deepEqual(verdict(template({}, { labels: { a: "b" } }), template({})), []);
    assert.deepEqual(verdict(template(changed), template({})), refusal);
    assert.deepEqual(verdict(template(changed), template({}), true), refusal);
    assert.deepEqual(verdict(template(changed, asked), template({})), refusal);
    assert.deepEqual(verdict(template(changed, asked), template({}), true), []);
  });
}

for (const [version, joins] of [
  ["v1alpha3", true],
  ["v1beta1", false],
] as const) {
  const config = (spec: object): KubeObject => ({
    apiVersion: `bootstrap.cluster.x-k8s.io/${version}`,
    kind: "TalosConfig",
    metadata: { name: "x" },
    spec,
  });
  const template = (spec: object): KubeObject => ({ ...config({ template: { spec } }), kind: "TalosConfigTemplate" });

  test(`TalosConfig ${version}: the types that Talos knows, and where host names come from`, () => {
    for (const judge of [(spec: object) => verdict(config(spec)), (spec: object) => verdict(template(spec))]) {
      for (const generateType of ["controlplane", "worker", "init", "none"]) assert.deepEqual(judge({ generateType }), []);
      for (const generateType of ["join", ""]) assert.equal(judge({ generateType }).length, joins ? 0 : 1);
      assert.equal(judge({ generateType: "boss" }).length, 1);
      assert.equal(judge({}).length, 1);
      for (const source of ["", "MachineName", "InfrastructureName"]) {
        assert.deepEqual(judge({ generateType: "worker", hostname: { source } }), []);
      }
      assert.match(
        judge({ generateType: "worker", hostname: { source: "Dice" } })[0]!,
        /hostname\.source: Unsupported value: "Dice"/,
      );
    }
  });

  test(`TalosConfig ${version}: the spec never changes, nor the template's`, () => {
    const before = { generateType: "worker", talosVersion: "v1.12" };
    const after = { ...before, talosVersion: "v1.13" };
    assert.deepEqual(verdict(config(after), config(before)), ["spec: Forbidden: TalosConfig.Spec is immutable"]);
    assert.match(verdict(template(after), template(before))[0]!, /TalosConfigTemplate spec is immutable/);
    assert.deepEqual(verdict({ ...config(before), metadata: { name: "x", labels: { a: "b" } } }, config(before)), []);
  });
}
