/** Parts of what stands in for Talos that can be tried without a machine. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { randomUUID } from "node:crypto";
import { fileOf } from "#main/talos/archive.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { systemPki } from "#io/node/pki.ts";
import { parseContract } from "#talos/contract.ts";
import { configOf, printConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import { makeSecrets } from "#talos/secrets.ts";
import { download, resolveUrl, retried } from "../../lab/talos/machine/acquire.ts";
import { checkConfig, versionOf } from "../../sim/talos/check.ts";
import { factsOf, isControlPlane } from "../../sim/talos/facts.ts";
import { createTable, TYPES } from "../../lab/talos/machine/gpt.ts";
import { placeGrub } from "../../lab/talos/machine/grub.ts";
import { createRequest, isGood, readRequest, sign } from "../../lab/talos/machine/signing.ts";
import { kernelLine } from "../../lab/talos/machine/reports.ts";
import { readApi } from "../../lab/talos/machine/siderolink.ts";
import { archiveOf } from "../../lab/talos/machine/tar.ts";

test("partx reads the partition table as it was meant", () => {
  const directory = mkdtempSync(join(tmpdir(), "sidero-gpt-"));
  try {
    const path = join(directory, "disk");
    const bytes = 40 * 2 ** 20;
    const partitions = [
      { label: "EFI", type: TYPES.efi, mebibytes: 20 },
      { label: "BIOS", type: TYPES.biosBoot, mebibytes: 1 },
      { label: "STATE", type: TYPES.linux },
    ];
    const table = createTable(bytes, partitions, randomUUID);
    const whole = Buffer.alloc(bytes);
    table.primary.copy(whole);
    table.backup.copy(whole, table.backupAt);
    writeFileSync(path, whole);
    const said = execFileSync("partx", ["--show", "--noheadings", "--output", "NAME,TYPE,START,SECTORS", path], {
      encoding: "utf8",
    });
    assert.deepEqual(
      said
        .trim()
        .split("\n")
        .map((line) => line.trim().replaceAll(/\s+/g, " ")),
      table.partitions.map(({ label, type, first, last }) => [label, type, first, last - first + 1].join(" ")),
    );
    // A wrong sum of the header or of its entries, and it is no table.
    whole[0x430]! ^= 1;
    whole[table.backupAt + 0x30]! ^= 1;
    writeFileSync(path, whole);
    assert.doesNotMatch(execFileSync("partx", ["--show", path], { encoding: "utf8" }), /EFI|STATE/);
    assert.throws(() => createTable(16 * 2 ** 20, partitions, randomUUID), /EFI: the disk is too small/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("GRUB's first sector finds the rest, and the rest itself", () => {
  const core = Buffer.alloc(1100, 7);
  const placed = placeGrub(Buffer.alloc(512, 1), core, 4096);
  assert.equal(placed.code.length, 440);
  assert.equal(placed.code.readBigUInt64LE(0x5c), 4096n);
  assert.equal(placed.core.length, 3 * 512);
  assert.deepEqual(
    [placed.core.readBigUInt64LE(0x1f4), placed.core.readUInt16LE(0x1fc), placed.core.readUInt16LE(0x1fe)],
    [4097n, 2, 0x820],
  );
});

test("the address of a configuration: variables, and keys in order", () => {
  const variables = { uuid: "u-1", serial: "S 1", mac: "52:54:00:00:00:01", hostname: "h" };
  const table: [string, string][] = [
    ["http://h/configdata?uuid=", "http://h/configdata?uuid=u-1"],
    ["http://h/c?uuid=&token=x", "http://h/c?token=x&uuid=u-1"],
    ["http://h/c?uuid=given", "http://h/c?uuid=given"],
    [
      "http://h/c?m=${mac}&h=${hostname}&s=${serial}&n=${nothing}",
      "http://h/c?h=h&m=52%3A54%3A00%3A00%3A00%3A01&n=%24%7Bnothing%7D&s=S+1",
    ],
    ["http://h/${uuid}", "http://h/$%7Buuid%7D"],
  ];
  for (const [template, url] of table) assert.equal(resolveUrl(template, variables), url);
});

test("a download: 200 and 204 are answers, compressed or not, and all else is asked for again", async (context) => {
  const answers = [
    [503, "not yet, and a long explanation of why that is so"],
    [404, "none"],
    [200, ""],
    [200, gzipSync("version: v1alpha1\n")],
    [200, "version: v1alpha1\n"],
    [204, ""],
  ] as const;
  let asked = 0;
  const server = createServer((_, response) => {
    const [status, body] = answers[asked++]!;
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const problems: string[] = [];
  const settings = { say: () => {}, failed: (problem: string) => void problems.push(problem), most: 0 };
  context.mock.method(Math, "random", () => 0);
  assert.deepEqual(await retried(() => download(url), settings), { text: "version: v1alpha1\n", isEmpty: false });
  assert.deepEqual(problems, [
    "failed to download config: 503: not yet, and a long explanation ",
    "failed to download config: 404: none",
    "failed to download config: the answer is empty",
  ]);
  assert.equal((await download(url)).isEmpty, false);
  assert.equal((await download(url)).isEmpty, true);
  await assert.rejects(download("tftp://h/c"), /knows no tftp:/);
});

test("what is taken from configurations is the same for every Talos", async () => {
  for (const version of ["v1.9", "v1.13", "v1.15"]) {
    const contract = parseContract(version);
    const secrets = await makeSecrets(contract, { pki: systemPki, entropy: systemEntropy, now: Date.now() });
    const options = {
      clusterName: "lab",
      endpoint: "https://10.77.0.50:6443",
      contract,
      secrets,
      installDisk: "/dev/vda",
      kubernetesVersion: "1.33.1",
    };
    const facts = (type: "controlplane" | "worker") => checkConfig(printConfig(generateConfig(type, options)))!;
    const [first, second] = [facts("controlplane"), facts("worker")];
    assert.ok(isControlPlane(first) && !isControlPlane(second), version);
    assert.deepEqual(first.os, { certificate: secrets.certs.os.certificate, key: secrets.certs.os.key }, version);
    assert.deepEqual(first.kubernetes, { certificate: secrets.certs.k8s.certificate, key: secrets.certs.k8s.key }, version);
    assert.deepEqual(second.os, { certificate: secrets.certs.os.certificate, key: undefined }, version);
    assert.deepEqual(second.kubernetes, { certificate: secrets.certs.k8s.certificate, key: undefined }, version);
    for (const each of [first, second]) {
      assert.equal(each.install?.disk, "/dev/vda", version);
      assert.deepEqual([each.token, each.bootstrapToken], [secrets.trustdToken, secrets.bootstrapToken], version);
      assert.deepEqual([each.clusterName, each.endpoint], ["lab", "https://10.77.0.50:6443"], version);
      assert.match(each.kubelet.image, /:v1\.33\.1$/, version);
    }
    assert.equal(first.kubelet.labels["node-role.kubernetes.io/control-plane"], "", version);
    assert.equal(first.kubelet.taints["node-role.kubernetes.io/control-plane"], "NoSchedule", version);
    assert.deepEqual(second.kubelet.taints, {}, version);
  }
});

test("shared addresses, provider and names: from the old fields and from the documents", () => {
  const text = `version: v1alpha1
machine:
  type: controlplane
  network: {hostname: one, interfaces: [{interface: eth1, vip: {ip: 10.0.0.5}}]}
  kubelet: {extraArgs: {provider-id: "sidero://u", node-labels: "a=b"}}
---
apiVersion: v1alpha1
kind: Layer2VIPConfig
name: 10.0.0.6
link: eth2
`;
  const facts = factsOf(parseConfig(text))!;
  assert.equal(facts.hostname, "one");
  assert.deepEqual(facts.kubelet.extraArgs, { "provider-id": "sidero://u", "node-labels": "a=b" });
  assert.deepEqual(facts.shared, [
    { ip: "10.0.0.5", interface: "eth1" },
    { ip: "10.0.0.6", interface: "eth2" },
  ]);
  assert.equal(
    factsOf(parseConfig("apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://h\n")),
    undefined,
    "a partial one",
  );
  const patched = applyPatch(
    configOf([{ version: "v1alpha1", machine: { type: "worker" } }]),
    loadPatch("machine: {install: {disk: /dev/sdb}}"),
  );
  assert.equal(factsOf(patched)?.install?.disk, "/dev/sdb");
});

test("versions are the tags of installers", () => {
  assert.equal(versionOf("ghcr.io/siderolabs/installer:v1.13.2"), "v1.13.2");
  assert.equal(versionOf("factory.talos.dev/metal-installer/37:v1.14.0-rc.1@sha256:0"), "v1.14.0-rc.1");
  assert.equal(versionOf("registry:5000/installer"), undefined);
});

test("openssl verifies a certificate that was asked for, and only its own key fits it", async () => {
  const now = Date.now();
  const order = {
    notBefore: now - 3_600_000,
    notAfter: now + 3_600_000,
    isAuthority: true,
    usages: ["server", "client"],
  } as const;
  for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
    const authority = await systemPki.issue({ ...order, algorithm, subject: [{ type: "O", value: "talos" }] });
    const { csr, key } = await createRequest({
      subject: [
        { type: "O", value: "g" },
        { type: "CN", value: "n" },
      ],
      names: ["10.0.0.1", "n"],
    });
    const { request, name, groups } = await readRequest(csr);
    assert.deepEqual([name, groups], ["n", ["g"]]);
    const certificate = await sign(request, authority, { usage: "server", lifetime: 3_600_000 });
    assert.ok(isGood({ certificate, key }, authority.certificate, now));
    assert.ok(!isGood({ certificate, key }, authority.certificate, now + 2 * 3_600_000), "it ends");
    assert.ok(!isGood({ certificate, key: authority.key }, authority.certificate, now), "of another key");
    const directory = mkdtempSync(join(tmpdir(), "sidero-csr-"));
    writeFileSync(join(directory, "ca"), authority.certificate);
    writeFileSync(join(directory, "crt"), certificate);
    execFileSync("openssl", [
      "verify",
      "-purpose",
      "sslserver",
      "-verify_ip",
      "10.0.0.1",
      "-CAfile",
      join(directory, "ca"),
      join(directory, "crt"),
    ]);
    assert.throws(() =>
      execFileSync("openssl", ["verify", "-purpose", "sslclient", "-CAfile", join(directory, "ca"), join(directory, "crt")], {
        stdio: "ignore",
      }),
    );
    rmSync(directory, { recursive: true });
    const forged = Buffer.from(csr.replaceAll(/-----.*-----|\n/g, ""), "base64");
    forged[forged.length - 1]! ^= 1;
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    await assert.rejects(readRequest(pem), /own key/);
  }
});

test("a kubeconfig as Talos sends it is read by tar, and by our own client", () => {
  const archive = archiveOf("kubeconfig", Buffer.from("apiVersion: v1\n"));
  assert.equal(fileOf(archive, "kubeconfig"), "apiVersion: v1\n");
  assert.equal(execFileSync("tar", ["-xzO", "kubeconfig"], { input: archive, encoding: "utf8" }), "apiVersion: v1\n");
});

test("siderolink.api: with a scheme or without, tokens, and whether to go through gRPC", () => {
  const table: [string, string, string | undefined, boolean][] = [
    ["10.0.0.1:8081", "http://10.0.0.1:8081", undefined, false],
    ["grpc://10.0.0.1:8081?jointoken=a%3Db", "http://10.0.0.1:8081", "a=b", false],
    ["grpc://[fd00::1]:8081?grpc_tunnel=y", "http://[fd00::1]:8081", undefined, true],
    ["https://host?jointoken=x&grpc_tunnel=true", "https://host:443", "x", true],
    ["https://host:444?grpc_tunnel=no", "https://host:444", undefined, false],
  ];
  for (const [text, baseUrl, joinToken, isTunnelled] of table)
    assert.deepEqual(readApi(text), { baseUrl, joinToken, isTunnelled }, text);
});

test("a record of the kernel's log is a line of JSON", () => {
  const line = kernelLine("4,17,2500000,-;a text; with more\n SUBSYSTEM=net\n", 1_000_000_000_000);
  assert.deepEqual(JSON.parse(line!), {
    msg: "a text; with more",
    "talos-time": "2001-09-09T01:46:42.500Z",
    "talos-level": "warn",
    facility: "kern",
    seq: 17,
    clock: 2500000,
    priority: 4,
  });
  assert.equal(kernelLine("nothing", 0), undefined);
});
