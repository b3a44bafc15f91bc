/** `bin/sidero gen` as a process: files, modes, flags; openssl reads what it made. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { standardKey } from "#io/node/pki.ts";
import { parseSecrets } from "#talos/secrets-text.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";

const CLI = fileURLToPath(new URL("../../src/main/cli.ts", import.meta.url));
const directory = mkdtempSync(`${tmpdir()}/sidero-gen-`);
after(() => rmSync(directory, { recursive: true }));

function gen(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, "gen", ...args], { cwd: directory, encoding: "utf8" });
}

function done(...args: string[]): string {
  const { status, stdout, stderr } = gen(...args);
  assert.equal(status, 0, stderr);
  return stdout;
}

function refused(...args: string[]): string {
  const { status, stderr } = gen(...args);
  assert.notEqual(status, 0);
  return stderr;
}

const at = (name: string): string => `${directory}/${name}`;
const modeOf = (name: string): string => (statSync(at(name)).mode & 0o777).toString(8);
const openssl = (...args: string[]): string => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

interface Config {
  machine: { type: string; install: { disk: string; image: string }; certSANs: string[]; added?: string };
  cluster: { secret: string; clusterName: string };
}

function load(name: string): [Config, ...{ kind: string; hostname?: string }[]] {
  return parseAllDocuments(readFileSync(at(name), "utf8")).map((document) => document.toJS() as Config) as never;
}

describe("sidero gen", () => {
  test("secrets: a bundle that openssl can read, for its owner only, and not twice", () => {
    done("secrets");
    assert.equal(modeOf("secrets.yaml"), "600");
    const { certs } = parseSecrets(readFileSync(at("secrets.yaml"), "utf8"));
    for (const [name, pair, words] of [
      ["etcd", certs.etcd, ["Subject: O = etcd", "prime256v1", "ecdsa-with-SHA256"]],
      ["k8s", certs.k8s, ["Subject: O = kubernetes", "prime256v1"]],
      ["aggregator", certs.k8sAggregator, ["Subject: \n", "prime256v1"]],
      ["os", certs.os, ["Subject: O = talos", "Signature Algorithm: ED25519"]],
    ] as const) {
      writeFileSync(at(`${name}.crt`), pair.certificate);
      writeFileSync(at(`${name}.key`), standardKey(pair.key));
      const text = openssl("x509", "-in", at(`${name}.crt`), "-noout", "-text");
      for (const word of [...words, "CA:TRUE", "Digital Signature, Certificate Sign"])
        assert.ok(text.includes(word), `${word} in\n${text}`);
      assert.match(openssl("verify", "-CAfile", at(`${name}.crt`), at(`${name}.crt`)), /OK/);
      assert.equal(
        openssl("pkey", "-in", at(`${name}.key`), "-pubout"),
        openssl("x509", "-in", at(`${name}.crt`), "-noout", "-pubkey"),
      );
    }
    const dates = openssl("x509", "-in", at("os.crt"), "-noout", "-dates");
    const [from, to] = [...dates.matchAll(/=(.*)$/gm)].map((match) => Date.parse(match[1]!));
    assert.equal(to! - from!, 87_600 * 3_600_000);
    writeFileSync(at("sa.key"), certs.k8sServiceAccountKey);
    assert.match(openssl("rsa", "-in", at("sa.key"), "-noout", "-text"), /Private-Key: \(4096 bit/);
    assert.match(refused("secrets"), /secrets\.yaml is there already; --force/);
    done("secrets", "--force");
  });

  test("config: three files from a bundle, with patches of all kinds", () => {
    writeFileSync(
      at("patch.yaml"),
      "machine: {added: by-file}\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: h1\nauto: off\n",
    );
    const flags = ["--with-secrets", "secrets.yaml", "--talos-version", "v1.13.4", "--additional-sans", "a.example,10.0.0.9"];
    const patches = [
      "--config-patch",
      "@patch.yaml",
      "--config-patch-worker",
      '[{"op":"replace","path":"/machine/install/disk","value":"/dev/nvme0n1"}]',
    ];
    done("config", ...flags, ...patches, "--install-disk", "/dev/vda", "c1", "https://10.0.0.1:6443", "--output-dir", "out");
    assert.deepEqual(
      ["controlplane.yaml", "worker.yaml", "talosconfig"].map((name) => modeOf(`out/${name}`)),
      ["644", "644", "600"],
    );
    const [plane, host] = load("out/controlplane.yaml");
    assert.deepEqual([plane.machine.type, plane.machine.added, plane.cluster.clusterName], ["controlplane", "by-file", "c1"]);
    assert.deepEqual(plane.machine.install.image, "ghcr.io/siderolabs/installer:v1.13.4");
    assert.deepEqual(plane.machine.certSANs, ["a.example", "10.0.0.9"]);
    assert.equal(host!.hostname, "h1");
    const [worker] = load("out/worker.yaml");
    assert.deepEqual([plane.machine.install.disk, worker.machine.install.disk], ["/dev/vda", "/dev/nvme0n1"]);
    const secrets = parseSecrets(readFileSync(at("secrets.yaml"), "utf8"));
    assert.equal(worker.cluster.secret, secrets.cluster.secret);
    const { name, ca, client } = parseTalosconfig(readFileSync(at("out/talosconfig"), "utf8"));
    assert.deepEqual([name, ca], ["c1", secrets.certs.os.certificate]);
    writeFileSync(at("ca.crt"), ca);
    writeFileSync(at("admin.crt"), client.certificate);
    assert.match(openssl("verify", "-CAfile", at("ca.crt"), "-purpose", "sslclient", at("admin.crt")), /OK/);
    assert.match(openssl("x509", "-in", at("admin.crt"), "-noout", "-subject"), /^subject=O = os:admin\n$/);
    assert.match(refused("config", "c1", "https://10.0.0.1:6443", "-o", "out"), /is there already/);
  });

  test("config: one type on standard output, for the oldest and the newest contract", () => {
    for (const [version, documents] of [
      ["1.3", 1],
      ["v1.15", 14],
    ] as const) {
      const text = done(
        "config",
        "c2",
        "https://c2.example:6443",
        "--with-secrets",
        "secrets.yaml",
        "--talos-version",
        version,
        "-t",
        "worker",
        "--with-docs=false",
        "--with-cluster-discovery=false",
        "-o",
        "-",
      );
      const parsed = parseAllDocuments(text);
      assert.equal(parsed.length, documents, version);
      assert.ok(parsed.every(({ errors }) => errors.length === 0));
    }
  });

  test("secrets around a PKI of kubeadm's", () => {
    const { certs } = parseSecrets(readFileSync(at("secrets.yaml"), "utf8"));
    execFileSync("mkdir", ["-p", at("pki/etcd")]);
    for (const [name, text] of Object.entries({
      "ca.crt": certs.k8s.certificate,
      "ca.key": certs.k8s.key,
      "etcd/ca.crt": certs.etcd.certificate,
      "etcd/ca.key": certs.etcd.key,
      "front-proxy-ca.crt": certs.k8sAggregator.certificate,
      "front-proxy-ca.key": certs.k8sAggregator.key,
    }))
      writeFileSync(at(`pki/${name}`), text);
    assert.match(refused("secrets", "-o", "from.yaml", "--from-kubernetes-pki", "pki"), /sa\.key/);
    assert.ok(!existsSync(at("from.yaml")));
    openssl("genrsa", "-out", at("pki/sa.key"), "2048");
    done("secrets", "-o", "from.yaml", "--from-kubernetes-pki", "pki", "--kubernetes-bootstrap-token", "abcdef.0123456789abcdef");
    const secrets = parseSecrets(readFileSync(at("from.yaml"), "utf8"));
    assert.deepEqual(secrets.certs.k8s, certs.k8s);
    assert.equal(secrets.bootstrapToken, "abcdef.0123456789abcdef");
  });

  test("says what is wrong, and writes nothing", () => {
    const base = ["config", "c3", "https://c3:6443", "--with-secrets", "secrets.yaml", "-o", "none"];
    for (const [args, message] of [
      [["config", "c3", "c3:6443", "-o", "none"], /endpoint is a URL/],
      [[...base, "--talos-version", "1.99"], /none of v1\.3 to v1\.15/],
      [[...base, "--config-patch", "@missing.yaml"], /missing\.yaml/],
      [[...base, "--config-patch", "[{op: remove, path: /none}]"], /operation 1 \(remove \/none\)/],
      [[...base, "--config-patch-worker", "machine: [1]"], /machine: the patch has a list/],
      [[...base, "--config-patch-worker", "machine: {ca: {key: x}}"], /worker: Talos would not take it: machine\.ca\.key/],
      [[...base, "-t", "everything"], /none of controlplane/],
      [
        ["config", "c3", "https://c3:6443", "--with-secrets", "patch.yaml", "-o", "none"],
        /cluster\.secret|is missing|repeated|not YAML/,
      ],
    ] as const)
      assert.match(refused(...args), message);
    assert.ok(!existsSync(at("none")));
  });
});
