/** `sidero certificate`: a record that was signed by the real key, on a Server of an API server in this process, and OpenSSL's word on it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { certificate, verifyFile } from "#cli/certificate.ts";
import type { Certificate, CertificatePorts } from "#cli/certificate.ts";
import { eraseRecord, wipedMachine, formatSignature, signedText } from "#decide/wipe/record.ts";
import { disk } from "#io/node/disk.ts";
import { openSigner, verifySignature } from "#io/node/sign.ts";
import type { Signer } from "#io/sign.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { eraseKey, publishEraseKey } from "#kube/erase-keys.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

const NAME = "4c4c4544-0042-4810-8056-b4c04f395931";
const OTHER = "5c4c4544-0042-4810-8056-b4c04f395932";
const PORTS: CertificatePorts = {
  readFile: async (path) => readFileSync(path, "utf8"),
  verify: (key, text, signature) => verifySignature(key, Buffer.from(text), Buffer.from(signature, "base64")),
};

let world: World;
let directory = "";
let signer: Signer;

before(async () => {
  world = await startWorld();
  directory = mkdtempSync(`${tmpdir()}/sidero-certificate-`);
  signer = await openSigner({ disk, path: `${directory}/erase.key`, publicPath: `${directory}/erase.pub` });
  await publishEraseKey(world.client, signer.keyId, signer.publicKey);
  const servers = world.client.for(Server);
  const system = { uuid: NAME, serialNumber: "SN-1", manufacturer: "Dell Inc.", productName: "R640" };
  const made = await servers.create({ metadata: { name: NAME }, spec: { accepted: true, hardware: { system } } });
  await servers.create({ metadata: { name: OTHER }, spec: { accepted: true } });
  const wipe = {
    id: "w1",
    reason: "it was released, by Müller",
    by: "release",
    orderedAt: "2030-01-01T00:00:00Z",
    startedAt: "2030-01-01T00:01:00Z",
    finishedAt: "2030-01-01T00:02:00Z",
    state: "done",
    mode: "full",
    disks: [
      {
        name: "nvme0n1",
        model: "SAMSUNG",
        serial: "D1",
        bytes: 960_197_124_096,
        method: "nvme-sanitize-crypto",
        state: "done",
        verified: true,
      },
      { name: "sda", state: "skipped", detail: "it hangs on USB" },
    ],
  } as const;
  const order = { ...wipe, machine: wipedMachine(made), disks: wipe.disks.map((each) => ({ ...each })) };
  const bytes = Buffer.from(signedText(eraseRecord(NAME, order)));
  const signature = formatSignature({ keyId: signer.keyId, signature: Buffer.from(signer.sign(bytes)).toString("base64") });
  await servers.update({ ...made, status: { wipe: { ...order, signature } } }, { subresource: "status" });
  // Its board is changed afterwards: what was done to its disks is as true as before.
  const changed = { spec: { hardware: { system: { serialNumber: "SN-2", productName: "R650" } } } };
  await servers.patch(NAME, changed);
});
after(async () => {
  rmSync(directory, { recursive: true });
  await world.stop();
});

async function said(machine: string, format: "text" | "json" | "canonical", key?: string): Promise<string> {
  const lines: string[] = [];
  const terminal = {
    client: world.client,
    print: (line: string) => void lines.push(line),
    style: (_: unknown, text: string) => text,
    now: () => 0,
  };
  await certificate(machine, format, key, terminal, PORTS);
  return lines.join("\n");
}

const refused = (code: string, text: RegExp) => (error: unknown) => Fault.is(error, code) && text.test(error.message);

test("as text, verified with the key that is published", async () => {
  assert.equal(
    await said("4c4c", "text"),
    `Erase record of ${NAME}
  machine    Dell Inc. R640, serial number SN-1
  order      w1: it was released, by Müller, 2030-01-01T00:00:00Z
  wiped      full, 2030-01-01T00:01:00Z to 2030-01-01T00:02:00Z
  signature  good, key ${signer.keyId}
  nvme0n1    nvme-sanitize-crypto, read back  SAMSUNG, S/N D1, 960.2 GB
  sda        skipped  ` +
      `
             it hangs on USB`,
  );
});

test("a machine that was not wiped has none", async () => {
  await assert.rejects(said(OTHER, "text"), refused("cli.not-found", /has no erase record: it was never wiped/));
  await assert.rejects(said("nobody", "text"), refused("cli.not-found", /no Server is called nobody/));
});

test("offline, and OpenSSL agrees; a changed record or another key does not pass", async () => {
  const [file, key] = [`${directory}/record.json`, `${directory}/erase.pub`];
  writeFileSync(file, await said(NAME, "json"));
  assert.deepEqual(await verifyFile(file, key, PORTS), [`good: ${NAME}, 2 disks, 2030-01-01T00:02:00Z, key ${signer.keyId}`]);

  const parsed = JSON.parse(readFileSync(file, "utf8")) as Certificate;
  writeFileSync(`${directory}/bytes`, `${await said(NAME, "canonical")}\n`);
  assert.equal(
    execFileSync("jq", ["-cS", ".record", file], { encoding: "utf8" }),
    `${await said(NAME, "canonical")}\n`,
    "jq agrees on the bytes",
  );
  writeFileSync(`${directory}/signature`, Buffer.from(parsed.signature, "base64"));
  const openssl = (): string =>
    execFileSync(
      "openssl",
      [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        key,
        "-rawin",
        "-in",
        `${directory}/bytes`,
        "-sigfile",
        `${directory}/signature`,
      ],
      { encoding: "utf8" },
    );
  assert.match(openssl(), /Signature Verified Successfully/);
  writeFileSync(`${directory}/bytes`, `${await said(NAME, "canonical")}\n`.replace("D1", "D2"));
  assert.throws(openssl);

  writeFileSync(file, JSON.stringify(parsed).replace("D1", "D2"));
  await assert.rejects(verifyFile(file, key, PORTS), refused("cli.not-verified", /was changed since/));
  const other = await openSigner({ disk, path: `${directory}/other.key`, publicPath: `${directory}/other.pub` });
  writeFileSync(file, JSON.stringify(parsed));
  await assert.rejects(verifyFile(file, `${directory}/other.pub`, PORTS), refused("cli.not-verified", /the key is another one/));
  await assert.rejects(said(NAME, "text", `${directory}/other.pub`), refused("cli.not-verified", /another one/));
  writeFileSync(file, "{}");
  await assert.rejects(verifyFile(file, key, PORTS), refused("cli.usage", /is not what/));

  await publishEraseKey(world.client, other.keyId, other.publicKey);
  assert.equal(await eraseKey(world.client, signer.keyId), signer.publicKey, "an earlier key stays");
});

test("who changes the Server's status changes nothing in the record unnoticed", async () => {
  const servers = world.client.for(Server);
  const { status } = await servers.get(NAME);
  const disks = status!.wipe!.disks!.map((each) => ({ ...each, serial: "another disk" }));
  await servers.patch(NAME, { status: { wipe: { ...status!.wipe!, disks } } }, { subresource: "status" });
  await assert.rejects(said(NAME, "text"), refused("cli.not-verified", /not what was signed/));
});
