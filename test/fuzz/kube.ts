/** Texts that come with Secrets and ConfigMaps, from whoever may write those: kubeconfigs of clusters, and manifests for them. */
import assert from "node:assert/strict";
import { parseKubeconfig } from "#kube/kubeconfig.ts";
import { inOrder, parseManifests } from "#kube/manifests.ts";
import { Fault } from "#std/fault.ts";
import { latin, type Parser } from "./parser.ts";

/** Refusals are theirs who wrote it, and never show what they wrote. */
function readAs<T>(code: string, text: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!Fault.is(error, code)) throw error;
    assert.ok(!error.message.includes("hunter2"), text);
    return undefined;
  }
}

const KUBECONFIG = `current-context: a@c
contexts: [{name: a@c, context: {cluster: c, user: a}}]
clusters: [{name: c, cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: QUFB}}]
users: [{name: a, user: {client-certificate-data: QUFB, client-key-data: QUFB, token: hunter2}}]
`;

const kubeconfig: Parser = {
  name: "kubeconfig",
  seeds: [latin(KUBECONFIG)],
  words: ["exec: ", "tokenFile: ", "proxy-url: ", "&a ", "*a", "<<: ", "!!binary ", "null", "[]", "{}", "server: "].map(latin),
  longest: 4096,
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const target = readAs("kube.workload", text, () => parseKubeconfig(text));
    if (target !== undefined) assert.match(new URL(target.server).protocol, /^https?:$/);
  },
};

const manifests: Parser = {
  name: "manifests",
  seeds: [
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: hunter2}\n---\n",
    '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"A","metadata":{"name":"b"}}]}',
  ].map(latin),
  words: ["---\n", "kind: List\n", "items: ", "&a ", "*a", "<<: ", "metadata: ", "!!set ", "null", "? "].map(latin),
  longest: 4096,
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const objects = readAs("kube.manifest", text, () => parseManifests(text));
    for (const { apiVersion, kind, metadata } of inOrder(objects ?? []))
      assert.ok([apiVersion, kind, metadata.name].every((part) => typeof part === "string"));
  },
};

export const kube: readonly Parser[] = [kubeconfig, manifests];
