import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryDisk, type MemoryDisk } from "#io/memory/disk.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { serverUrl, writeKubeconfig } from "./kubeconfig.ts";
import { openPki, servingNames, type Pki } from "./pki.ts";

const DAY = 24 * 60 * 60_000;
const NAMES = ["localhost", "127.0.0.1", "::1", "host.example", "fd00::1"];

function open(disk: MemoryDisk, clock: VirtualClock, names: readonly string[] = NAMES): Promise<Pki> {
  return openPki({ disk, directory: "/pki", clock, entropy: systemEntropy, names });
}

test("node's own X.509 agrees with what was made", async () => {
  const clock = new VirtualClock();
  const pki = await open(createMemoryDisk(), clock);
  const authority = new X509Certificate(pki.authority);
  assert.equal(authority.ca, true);
  assert.ok(authority.verify(authority.publicKey));
  const serving = new X509Certificate(pki.serving.certificate);
  assert.ok(serving.verify(authority.publicKey) && serving.checkIssued(authority));
  assert.ok(serving.checkPrivateKey(createPrivateKey(pki.serving.key)));
  assert.equal(serving.ca, false);
  for (const name of ["localhost", "host.example"]) assert.equal(serving.checkHost(name), name);
  for (const address of ["127.0.0.1", "::1", "fd00::1"]) assert.equal(serving.checkIP(address), address);
  assert.equal(serving.checkHost("elsewhere.example"), undefined);
  assert.deepEqual(serving.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.ok(serving.validFromDate.getTime() < clock.now() && serving.validToDate.getTime() > clock.now() + 799 * DAY);
  const admin = new X509Certificate(pki.admin.certificate);
  assert.equal(admin.subject, "O=system:masters\nCN=sidero-admin");
  assert.deepEqual(admin.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  assert.notEqual(admin.serialNumber, serving.serialNumber);
});

test("made once; keys are their owner's", async () => {
  const disk = createMemoryDisk();
  const clock = new VirtualClock();
  const first = await open(disk, clock);
  assert.deepEqual(await open(disk, clock), first);
  assert.deepEqual(
    [...disk.files].map(([path, { mode }]) => `${path} ${mode.toString(8)}`).toSorted(),
    ["admin.crt 644", "admin.key 600", "apiserver.crt 644", "apiserver.key 600", "ca.crt 644", "ca.key 600"].map(
      (file) => `/pki/${file}`,
    ),
  );
});

test("leaves are renewed for other names, half-way through their life, and when damaged; the authority stays", async () => {
  const disk = createMemoryDisk();
  const clock = new VirtualClock();
  const first = await open(disk, clock);
  const named = await open(disk, clock, [...NAMES, "other.example"]);
  assert.notEqual(named.serving.certificate, first.serving.certificate);
  assert.equal(named.admin.certificate, first.admin.certificate);

  await clock.advance(399 * DAY);
  assert.equal((await open(disk, clock, [...NAMES, "other.example"])).serving.certificate, named.serving.certificate);
  await clock.advance(2 * DAY);
  const renewed = await open(disk, clock);
  assert.notEqual(renewed.admin.certificate, first.admin.certificate);

  disk.files.set("/pki/admin.key", disk.files.get("/pki/apiserver.key")!);
  disk.files.set("/pki/apiserver.crt", { content: Buffer.from("garbage"), mode: 0o644 });
  const repaired = await open(disk, clock);
  assert.notEqual(repaired.admin.key, renewed.admin.key);
  assert.ok(new X509Certificate(repaired.serving.certificate).verify(new X509Certificate(first.authority).publicKey));
  assert.equal(repaired.authority, first.authority);
});

test("an authority that cannot serve is never replaced", async () => {
  const clock = new VirtualClock();
  const damages: readonly ((disk: MemoryDisk) => void)[] = [
    (disk) => disk.files.delete("/pki/ca.key"),
    (disk) => disk.files.set("/pki/ca.crt", { content: Buffer.from("garbage"), mode: 0o644 }),
    (disk) => disk.files.set("/pki/ca.key", disk.files.get("/pki/admin.key")!),
  ];
  for (const damage of damages) {
    const disk = createMemoryDisk();
    await open(disk, clock);
    damage(disk);
    await assert.rejects(open(disk, clock), (error) => Fault.is(error, "pki.bad-authority"));
  }
  const disk = createMemoryDisk();
  await open(disk, clock);
  await clock.advance(3651 * DAY);
  await assert.rejects(
    open(disk, clock),
    (error) => Fault.is(error, "pki.bad-authority") && error.message.includes("valid until only"),
  );
});

test("a start that was interrupted after the authority's key starts over", async () => {
  const disk = createMemoryDisk();
  const clock = new VirtualClock();
  await open(disk, clock);
  for (const path of disk.files.keys()) if (path !== "/pki/ca.key") disk.files.delete(path);
  const pki = await open(disk, clock);
  assert.ok(new X509Certificate(pki.serving.certificate).verify(new X509Certificate(pki.authority).publicKey));
});

test("names for a listener", () => {
  assert.deepEqual(servingNames("0.0.0.0", "Host", ["a.example", "host"]), [
    "localhost",
    "127.0.0.1",
    "::1",
    "host",
    "a.example",
  ]);
  assert.deepEqual(servingNames("10.0.0.1", ""), ["localhost", "127.0.0.1", "::1", "10.0.0.1"]);
});

test("a kubeconfig is for its owner and goes to an address one can connect to", async () => {
  const disk = createMemoryDisk();
  await disk.makeDirectory("/data", 0o700);
  await writeKubeconfig({
    disk,
    path: "/data/kubeconfig",
    host: "::",
    port: 6443,
    authority: "CA",
    client: { certificate: "CRT", key: "KEY" },
  });
  const file = disk.files.get("/data/kubeconfig")!;
  assert.equal(file.mode, 0o600);
  const text = Buffer.from(file.content).toString();
  for (const line of [
    "server: https://[::1]:6443",
    "certificate-authority-data: Q0E=",
    "client-key-data: S0VZ",
    "current-context: sidero",
  ]) {
    assert.ok(text.includes(line), line);
  }
  assert.equal(serverUrl("0.0.0.0", 1), "https://127.0.0.1:1");
  assert.equal(serverUrl("fd00::1", 1), "https://[fd00::1]:1");
  assert.equal(serverUrl("10.0.0.1", 1), "https://10.0.0.1:1");
});
