/** Machine configurations and their patches: both come from resources that anybody with a namespace can write. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { documentOf, printConfig, withDocuments, withValue } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import { parseLegacySecrets, parseSecrets, printSecrets } from "#talos/secrets-text.ts";
import { parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";
import { parseContract } from "#talos/contract.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import { fileOf } from "#main/talos/archive.ts";
import { latin, type Parser, read } from "./parser.ts";

const CONTRACT = parseContract("v1.13");
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
const VALIDATED = `machine: {type: worker, ca: {crt: a}, install: {extraKernelArgs: [a]}, kubelet: {image: "k:v1.40.1"}, features: {hostDNS: {}}}
cluster: {ca: {key: a}, discovery: {enabled: true}, network: {}}
---
{apiVersion: v1alpha1, kind: KubeNetworkConfig}
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
  seeds: [latin(CONFIG), latin("a: &a {b: c}\nd: {<<: *a}\n"), latin("--- {kind: X}\n--- |\n"), latin(VALIDATED)],
  words: WORDS.map(latin),
  longest: 4096,
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const parsed = read(() => parseConfig(text));
    if (parsed === undefined) return;
    assert.equal(printConfig(parsed), text);
    for (const mode of ["metal", "container"] as const) validateConfig(parsed, { mode, contract: CONTRACT });
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

const PEM = Buffer.from("-----BEGIN X-----\nAAAA\n-----END X-----\n").toString("base64");

/** Secrets bundles and talosconfigs: files of users, and Secrets of clusters. */
const bundle: Parser = {
  name: "talos-secrets",
  seeds: [
    `cluster: {id: a, secret: b}\nsecrets: {bootstraptoken: a.b, secretboxencryptionsecret: c}\ntrustdinfo: {token: d}\ncerts:\n${["etcd", "k8s", "k8saggregator", "os", "k8sserviceaccount"].map((name) => `  ${name}: {crt: ${PEM}, key: ${PEM}}\n`).join("")}`,
    `context: a\ncontexts:\n  a: {endpoints: [b], nodes: [], ca: ${PEM}, crt: ${PEM}, key: ${PEM}}\n`,
  ].map(latin),
  words: [...WORDS, PEM, "crt: ", "contexts:\n"].map(latin),
  longest: 4096,
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const secrets = read(() => parseSecrets(text));
    if (secrets !== undefined) assert.deepEqual(parseSecrets(printSecrets(secrets)), secrets);
    read(() => parseLegacySecrets({ certs: text, kubeSecrets: text, trustdInfo: text }));
    const context = read(() => parseTalosconfig(text));
    if (context !== undefined) assert.deepEqual(parseTalosconfig(printTalosconfig(context)), context);
  },
};

/** What a machine sends for a kubeconfig. */
const archive: Parser = {
  name: "talos-archive",
  seeds: [
    tar("kubeconfig", "a: b"),
    tar("other", "x".repeat(600)),
    Buffer.concat([tar("other", "x"), tar("kubeconfig", "y")]),
  ].map((bytes) => new Uint8Array(bytes)),
  words: ["kubeconfig\0", "00000000010\0", "77777777777\0", "-1\0"].map(latin),
  longest: 4096,
  run(input) {
    // Damage to the archive itself, not only to its compression.
    read(() => fileOf(gzipSync(input), "kubeconfig"));
    read(() => fileOf(input, "kubeconfig"));
  },
};

function tar(name: string, text: string): Buffer {
  const bytes = Buffer.alloc(512 + Math.ceil(text.length / 512) * 512);
  bytes.write(name, 0);
  bytes.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  bytes.write(text, 512);
  return bytes;
}

export const talos: readonly Parser[] = [config, patch, bundle, archive];
