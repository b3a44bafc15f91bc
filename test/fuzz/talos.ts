/** Machine configurations and their patches: both come from resources that anybody with a namespace can write. */
import assert from "node:assert/strict";
import { documentOf, printConfig, withDocuments, withValue } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import { latin, type Parser, read } from "./parser.ts";

const CONFIG = `version: v1alpha1 # one
machine:
    type: worker
    certSANs: []
    network: {interfaces: [{interface: eth0, vlans: [{vlanId: 1}]}]}
    files: [{permissions: 0o644, content: "a"}]
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
`;
const WORDS = [
  "---\n",
  "...\n",
  "&a ",
  "*a",
  "<<: ",
  "|2\n",
  "? ",
  "!!int ",
  "$patch: delete",
  "version: v1alpha1\n",
  "0x1F",
  "\n  - ",
  "~1",
  "/-",
];

/** As JSON has it: no NaN, which is like nothing. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const config: Parser = {
  name: "talos-config",
  seeds: [latin(CONFIG), latin("a: &a {b: c}\nd: {<<: *a}\n"), latin("--- {kind: X}\n--- |\n")],
  words: WORDS.map(latin),
  longest: 4096,
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const parsed = read(() => parseConfig(text));
    if (parsed === undefined) return;
    assert.equal(printConfig(parsed), text);
    const changed = parsed.documents.map((document) => withValue(document, { ...document.value, "x-added": [1, "yes"] }));
    const again = parseConfig(printConfig(withDocuments(parsed, [...changed, documentOf({ kind: "x-more" })])));
    for (const [i, { value }] of changed.entries()) assert.deepEqual(plain(again.documents[i]!.value), plain(value));
  },
};

const patch: Parser = {
  name: "talos-patch",
  seeds: [
    "machine: {network: {interfaces: [{interface: eth0, $patch: delete}]}}",
    '[{"op":"add","path":"/machine/certSANs/-","value":"x"},{"op":"copy","from":"/machine","path":"/m"}]',
    "- {op: remove, path: /machine/type}\n",
    "kind: HostnameConfig\napiVersion: v1alpha1\n$patch: delete\n",
  ].map(latin),
  words: WORDS.map(latin),
  longest: 4096,
  run(input) {
    const base = parseConfig(CONFIG);
    const loaded = read(() => loadPatch(Buffer.from(input).toString("utf8")));
    const patched = loaded === undefined ? undefined : read(() => applyPatch(base, loaded));
    if (patched !== undefined) parseConfig(printConfig(patched));
  },
};

export const talos: readonly Parser[] = [config, patch];
