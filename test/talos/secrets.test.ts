import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryPki } from "#io/memory/pki.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Fault } from "#std/fault.ts";
import { parseContract } from "#talos/contract.ts";
import type { Minting } from "#talos/pki.ts";
import type { KubeadmFiles, Secrets } from "#talos/secrets.ts";
import { checkSecrets, makeSecrets, secretsOfKubeadm } from "#talos/secrets.ts";
import { parseSecrets, printSecrets } from "#talos/secrets-text.ts";
import { issueTalosClient, parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";

function minting(seed = 1): Minting {
  return { pki: createMemoryPki(), entropy: new SeededEntropy(seed), now: Date.UTC(2026, 0, 1) };
}

/** Subject of a certificate of the memory twin, or algorithm of a key. */
function said(pem: string): { subject?: string; algorithm?: string; notAfter?: number } {
  return JSON.parse(Buffer.from(pem.split("\n")[1]!, "base64").toString()) as object;
}

describe("secrets of a cluster", () => {
  it("are what each contract has", async () => {
    for (let minor = 3; minor <= 15; minor++) {
      const secrets = await makeSecrets(parseContract(`v1.${minor}`), minting(minor));
      await checkSecrets(secrets, minting());
      assert.equal(Buffer.from(secrets.cluster.secret, "base64").length, 32);
      assert.equal(Buffer.from(secrets.cluster.id, minor < 14 ? "base64url" : "base64").length, 32);
      assert.ok(minor >= 14 || /^[A-Za-z0-9_-]{43}=$/.test(secrets.cluster.id), "URL-safe, padded");
      assert.match(secrets.bootstrapToken, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
      assert.match(secrets.trustdToken, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
      assert.notEqual(secrets.bootstrapToken, secrets.trustdToken);
      const { certs } = secrets;
      assert.deepEqual(
        [certs.etcd, certs.k8s, certs.k8sAggregator, certs.os].map((pair) => [
          said(pair.certificate).subject,
          said(pair.key).algorithm,
        ]),
        [
          ["O=etcd", "ecdsa-p256"],
          ["O=kubernetes", "ecdsa-p256"],
          ["", "ecdsa-p256"],
          ["O=talos", "ed25519"],
        ],
      );
      assert.equal(said(certs.k8sServiceAccountKey).algorithm, minor >= 7 ? "rsa-4096" : "ecdsa-p256");
      assert.equal(said(certs.os.certificate).notAfter, Date.UTC(2026, 0, 1) + 87_600 * 3_600_000);
    }
  });

  it("go through their file", async () => {
    const secrets = await makeSecrets(parseContract(), minting());
    const text = printSecrets(secrets);
    assert.deepEqual(parseSecrets(text), secrets);
    assert.deepEqual(
      text.split("\n").map((line) => line.replace(/: .*/, ":")),
      `cluster:\n    id:\n    secret:\nsecrets:\n    bootstraptoken:\n    secretboxencryptionsecret:\ntrustdinfo:\n    token:\ncerts:\n${[
        "etcd",
        "k8s",
        "k8saggregator",
      ]
        .map((name) => `    ${name}:\n        crt:\n        key:\n`)
        .join("")}    k8sserviceaccount:\n        key:\n    os:\n        crt:\n        key:\n`.split("\n"),
    );
  });

  const flaws: [name: string, change: (secrets: Secrets) => Secrets, message: RegExp][] = [
    ["no cluster id", (s) => ({ ...s, cluster: { ...s.cluster, id: "" } }), /cluster\.id/],
    ["a short secret", (s) => ({ ...s, cluster: { ...s.cluster, secret: "SECRET" } }), /cluster\.secret/],
    ["another token", (s) => ({ ...s, bootstrapToken: "SECRET" }), /bootstraptoken/],
    ["two encryption secrets", (s) => ({ ...s, aescbcEncryptionSecret: "SECRET" }), /aescbc/],
    [
      "a key of another",
      (s) => ({ ...s, certs: { ...s.certs, os: { ...s.certs.os, key: s.certs.etcd.key } } }),
      /certs\.os: the key/,
    ],
    ["no key", (s) => ({ ...s, certs: { ...s.certs, k8sServiceAccountKey: "SECRET" } }), /certs\.k8sserviceaccount: .*parse/],
  ];
  for (const [name, change, message] of flaws)
    it(`are checked: ${name}`, async () => {
      const made = minting();
      const secrets = change(await makeSecrets(parseContract(), made));
      await assert.rejects(
        checkSecrets(secrets, made),
        (error) => Fault.is(error, "talos.secrets") && message.test(error.message) && !error.message.includes("SECRET"),
      );
    });

  it("name what their file lacks, and show nothing of it", async () => {
    const text = printSecrets(await makeSecrets(parseContract(), minting()));
    const gone = (name: string): string => text.replace(new RegExp(`^ +${name}: .*\n`, "m"), "");
    for (const [broken, message] of [
      [gone("bootstraptoken"), /secrets\.bootstraptoken is missing/],
      [gone("crt"), /certs\.etcd\.crt is missing/],
      [text.replace(/key: .*/, "key: U0VDUkVU"), /certs\.etcd\.key is not a PEM text in base64/],
      ["- SECRET\n", /a secrets bundle is a mapping/],
      ["a: [SECRET", /not YAML/],
    ] as const)
      assert.throws(
        () => parseSecrets(broken),
        (error) => Fault.is(error, "talos.secrets") && message.test(error.message) && !/SECRET|U0VDUkVU/.test(error.message),
      );
  });

  it("can be built around a PKI of kubeadm", async () => {
    const made = minting();
    const { certs } = await makeSecrets(parseContract(), made);
    const files: KubeadmFiles = {
      "ca.crt": certs.k8s.certificate,
      "ca.key": certs.k8s.key,
      "etcd/ca.crt": certs.etcd.certificate,
      "etcd/ca.key": certs.etcd.key,
      "front-proxy-ca.crt": certs.k8sAggregator.certificate,
      "front-proxy-ca.key": certs.k8sAggregator.key,
      "sa.key": certs.k8sServiceAccountKey,
    };
    const secrets = await secretsOfKubeadm(parseContract(), files, made, "abcdef.0123456789abcdef");
    assert.deepEqual({ ...secrets.certs, os: undefined }, { ...certs, os: undefined });
    assert.equal(secrets.bootstrapToken, "abcdef.0123456789abcdef");
    await assert.rejects(secretsOfKubeadm(parseContract(), { ...files, "ca.key": files["sa.key"] }, made), /certs\.k8s: the key/);
  });
});

describe("talosconfig", () => {
  it("holds a certificate of the roles it was asked for, and comes back", async () => {
    const made = minting();
    const { certs } = await makeSecrets(parseContract(), made);
    const client = await issueTalosClient(certs.os, made, ["os:operator", "os:reader"]);
    assert.equal(said(client.certificate).subject, "O=os:operator,O=os:reader");
    const context = { name: "c1", endpoints: ["10.0.0.1"], nodes: ["10.0.0.2"], ca: certs.os.certificate, client };
    const text = printTalosconfig(context);
    assert.deepEqual(parseTalosconfig(text), context);
    assert.match(
      text,
      /^context: c1\ncontexts:\n {4}c1:\n {8}endpoints:\n {12}- 10\.0\.0\.1\n {8}nodes:\n {12}- 10\.0\.0\.2\n {8}ca: /,
    );
    assert.match(printTalosconfig({ ...context, endpoints: [], nodes: [] }), /endpoints: \[\]\n {8}ca:/);
    for (const bad of ["a: b", "context: x\ncontexts: {x: {ca: a}}", "[]", "context: x"])
      assert.throws(
        () => parseTalosconfig(bad),
        (error) => Fault.is(error, "talos.config"),
      );
  });
});
