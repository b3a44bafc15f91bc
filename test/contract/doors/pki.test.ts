/** What every maker of keys and certificates does: node's, and the memory twin. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, test } from "node:test";
import { createMemoryPki } from "#io/memory/pki.ts";
import { standardKey, systemPki } from "#io/node/pki.ts";
import type { CertificateOrder, KeyAlgorithm, Pki } from "#io/pki.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const DAY = 86_400_000;
const LABELS: Record<KeyAlgorithm, string> = {
  "ecdsa-p256": "EC PRIVATE KEY",
  ed25519: "ED25519 PRIVATE KEY",
  "rsa-2048": "RSA PRIVATE KEY",
  "rsa-4096": "RSA PRIVATE KEY",
};

function order(algorithm: KeyAlgorithm, more: Partial<CertificateOrder> = {}): CertificateOrder {
  return {
    algorithm,
    subject: [{ type: "O", value: "talos" }],
    notBefore: NOW,
    notAfter: NOW + DAY,
    isAuthority: true,
    usages: ["server", "client"],
    ...more,
  };
}

for (const [name, make] of Object.entries<() => Pki>({ node: () => systemPki, memory: createMemoryPki })) {
  describe(`pki: ${name}`, () => {
    const pki = make();

    for (const algorithm of ["ecdsa-p256", "ed25519", "rsa-2048"] as const)
      test(`${algorithm}: keys have Talos' label, pairs belong together`, async () => {
        const [key, one, two] = await Promise.all([
          pki.generateKey(algorithm),
          pki.issue(order(algorithm)),
          pki.issue(order(algorithm)),
        ]);
        for (const pem of [key, one.key]) assert.ok(pem.startsWith(`-----BEGIN ${LABELS[algorithm]}-----\n`), pem.slice(0, 40));
        assert.ok(one.certificate.startsWith("-----BEGIN CERTIFICATE-----\n") && one.certificate.endsWith("-----\n"));
        assert.equal(await pki.flawOf(one), undefined);
        assert.match((await pki.flawOf({ ...one, key: two.key })) ?? "", /another certificate/);
        assert.equal(await pki.keyFlawOf(key), undefined);
        assert.equal(pki.endOf(one.certificate), NOW + DAY);
      });

    test("what does not parse is a flaw, which is not shown", async () => {
      const pair = await pki.issue(order("ed25519"));
      for (const bad of ["", "SECRET", pair.key.slice(0, 60)]) {
        assert.match((await pki.flawOf({ ...pair, key: bad })) ?? "", /does not parse$/);
        assert.match((await pki.flawOf({ ...pair, certificate: bad })) ?? "", /does not parse$/);
        assert.match((await pki.keyFlawOf(bad)) ?? "", /does not parse$/);
        assert.equal(pki.endOf(bad), undefined);
        await assert.rejects(pki.issue(order("ed25519"), { certificate: bad, key: pair.key }));
      }
    });
  });
}

describe("pki: openssl reads what node's makes", () => {
  const directory = mkdtempSync(`${tmpdir()}/sidero-pki-`);
  after(() => rmSync(directory, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const openssl = (...args: string[]): string => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

  for (const [algorithm, words] of [
    ["ecdsa-p256", ["ASN1 OID: prime256v1", "ecdsa-with-SHA256"]],
    ["ed25519", ["ED25519 Public-Key", "Signature Algorithm: ED25519"]],
    ["rsa-2048", ["Public-Key: (2048 bit)", "sha256WithRSAEncryption"]],
  ] as const)
    test(`an authority of ${algorithm}, and a client's certificate by it`, async () => {
      const authority = await systemPki.issue(order(algorithm, { subject: [] }));
      const client = await systemPki.issue(
        order("ed25519", {
          subject: [
            { type: "O", value: "os:admin" },
            { type: "O", value: "os:reader" },
          ],
          isAuthority: false,
          usages: ["client"],
          names: ["a.example", "10.0.0.1", "fd00::1"],
        }),
        authority,
      );
      const ca = put("ca.crt", authority.certificate);
      const leaf = put("leaf.crt", client.certificate);
      const text = openssl("x509", "-in", ca, "-noout", "-text");
      for (const word of [
        ...words,
        "Version: 3",
        "Not Before: Jan  2 03:04:05 2026 GMT",
        "Not After : Jan  3 03:04:05 2026 GMT",
        "X509v3 Basic Constraints: critical\n                CA:TRUE\n",
        "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign\n",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "Subject: \n",
      ])
        assert.ok(text.includes(word), `${word} in\n${text}`);
      const leafText = openssl("x509", "-in", leaf, "-noout", "-text");
      for (const word of [
        "O = os:admin, O = os:reader",
        "CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Client Authentication\n",
        "DNS:a.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1",
      ])
        assert.ok(leafText.includes(word), `${word} in\n${leafText}`);
      assert.match(openssl("verify", "-CAfile", ca, "-attime", String(NOW / 1000 + 60), "-purpose", "sslclient", leaf), /OK/);
      for (const [file, pair] of Object.entries({ ca: authority, leaf: client })) {
        const key = put(`${file}.key`, standardKey(pair.key));
        assert.equal(
          openssl("pkey", "-in", key, "-pubout"),
          openssl("x509", "-in", `${directory}/${file}.crt`, "-noout", "-pubkey"),
        );
      }
    });
});
