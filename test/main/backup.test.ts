/** `sidero backup` and `sidero restore`: of a server that is being written to, of one that is stopped, and what they refuse. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { kindRef } from "#kube/kind.ts";
import type { Client } from "#kube/client.ts";
import type { KubeObject } from "#schema/meta.ts";
import { restoredAt } from "#main/restored.ts";
import { connect } from "../kube/connect.ts";
import { access, ask, end, run, temporary, up } from "./sidero.ts";

const ConfigMap = kindRef<KubeObject>({ group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", scope: "Namespaced" });
const WRITERS = 4;

/** Creates `w<i>-0`, `w<i>-1`, … until told to stop; notes each that is acknowledged. */
async function write(client: Client, writer: number, acknowledged: Map<string, string>, isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    const { metadata } = await client.for(ConfigMap).create({ metadata: { name: `w${writer}-${i}`, namespace: "default" } });
    acknowledged.set(metadata.name!, metadata.resourceVersion!);
  }
}

async function revisions(kubeconfig: string): Promise<Map<string, string>> {
  const { client, close } = await connect(kubeconfig);
  try {
    const { items } = await client.for(ConfigMap).listAll();
    return new Map(items.map(({ metadata }) => [metadata.name!, metadata.resourceVersion!]));
  } finally {
    await close();
  }
}

test("a backup of a server that is written to has all that was acknowledged before it, and is an installation of its own", async (context) => {
  const directory = await temporary(context);
  const [data, copy, restored] = ["data", "copy", "restored"].map((name) => join(directory, name)) as [string, string, string];
  await mkdir(join(data, "backup-of-a-process-that-died"), { recursive: true });
  const sidero = await up(context, data);
  assert.equal(existsSync(join(data, "backup-of-a-process-that-died")), false);
  const admin = await access(sidero);
  const { client, close } = await connect(sidero.kubeconfig);
  context.after(close);

  const acknowledged = new Map<string, string>();
  let isOver = false;
  const writing = Array.from({ length: WRITERS }, (_, i) => write(client, i, acknowledged, () => isOver));
  while (acknowledged.size < 300) await new Promise((resolve) => setTimeout(resolve, 10));
  const before = new Map(acknowledged);
  const { code, stdout, stderr } = await run(["backup", copy, `--data=${data}`]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^backed up \S+ to \S+ \(7 files\)\n$/);
  assert.ok(acknowledged.size > before.size, "it was written to meanwhile");
  isOver = true;
  await Promise.all(writing);
  await end(sidero);
  assert.deepEqual(
    (await readdir(data)).filter((name) => name.startsWith("backup-")),
    [],
  );
  for (const name of ["", "journal.db", "backup.json", "pki", "pki/ca.key"]) {
    assert.equal((await stat(join(copy, name))).mode & 0o077, 0, name);
  }

  const began = Date.now();
  assert.equal((await run(["restore", copy, `--data=${restored}`])).code, 0);
  const at = await restoredAt(restored);
  assert.ok(at !== undefined && at >= began - 1000 && at <= Date.now(), "orders from before are known by it");
  assert.equal(await restoredAt(data), undefined);
  const second = await up(context, restored);
  const found = await revisions(second.kubeconfig);
  for (const [name, revision] of before) assert.equal(found.get(name), revision, name);
  for (let writer = 0; writer < WRITERS; writer++) {
    const numbers = [...found.keys()].filter((name) => name.startsWith(`w${writer}-`)).map((name) => Number(name.split("-")[1]));
    assert.equal(Math.max(...numbers), numbers.length - 1, "what was written before something is there when that is");
  }
  for (const [name, revision] of found) assert.equal(acknowledged.get(name) ?? revision, revision);

  // Clients come back with what they have: their certificates serve, and revisions from before are not mistaken for new ones.
  const again = { ...admin, server: (await access(second)).server };
  const watch = await ask(
    again,
    `/api/v1/configmaps?watch=true&timeoutSeconds=1&resourceVersion=${[...acknowledged.values()].at(-1)}`,
  );
  assert.match(watch.text, /"code":410/);
  await end(second);

  // A stopped one is copied without a server; nothing is lost on the way.
  const stopped = join(directory, "stopped");
  assert.equal((await run(["backup", stopped, `--data=${restored}`])).code, 0);
  const third = join(directory, "third");
  assert.equal((await run(["restore", stopped, `--data=${third}`])).code, 0);
  assert.deepEqual(await revisions((await up(context, third)).kubeconfig), found);
});

test("what is damaged, foreign or in the way is refused, and nothing is touched", async (context) => {
  const directory = await temporary(context);
  const path = (name: string): string => join(directory, name);
  const sidero = await up(context, path("data"), { "api-address": "off" });
  const refusal = async (args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [1, ""]);
    return stderr.replaceAll(directory, "");
  };
  assert.equal(
    await refusal(["backup", path("none"), `--data=${path("data")}`]),
    "sidero: /data is in use by a Sidero without an API listener: stop it to back up\n",
  );
  await end(sidero);
  assert.equal(existsSync(path("none")), false);
  assert.equal((await run(["backup", path("good"), `--data=${path("data")}`])).code, 0);
  assert.match(await refusal(["backup", path("good"), `--data=${path("data")}`]), /^sidero: \/good: .*EEXIST/);
  assert.match(await refusal(["backup", path("none"), `--data=${path("absent")}`]), /^sidero: \/absent holds no store/);

  /** A copy of the good backup, spoiled. */
  const spoiled = async (name: string, file: string, spoil: (bytes: Buffer) => Buffer): Promise<string> => {
    await cp(path("good"), path(name), { recursive: true });
    await writeFile(join(path(name), file), spoil(await readFile(join(path(name), file))));
    return path(name);
  };
  const flip = (bytes: Buffer): Buffer => {
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  };
  const rename = (from: string, to: string) => (bytes: Buffer) => Buffer.from(bytes.toString().replace(from, to));
  const cases: [source: string, message: string][] = [
    [await spoiled("journal", "journal.db", flip), "/journal/journal.db is not what was backed up"],
    [await spoiled("short", "journal.db", (bytes) => bytes.subarray(0, 4096)), "/short/journal.db is not what was backed up"],
    [await spoiled("key", "pki/ca.key", flip), "/key/pki/ca.key is not what was backed up"],
    [await spoiled("absent-key", "backup.json", rename("pki/ca.key", "pki/cb.key")), "/absent-key/pki/cb.key is missing"],
    [
      await spoiled("format", "backup.json", rename("sidero-backup/1", "other/1")),
      "/format/backup.json is not one of sidero-backup/1",
    ],
    [await spoiled("outside", "backup.json", rename("pki/ca.key", "../ca.key")), '/outside/backup.json names "../ca.key"'],
    [await spoiled("text", "backup.json", () => Buffer.from("hello")), "/text/backup.json is not one of sidero-backup/1"],
    [path("data"), "/data is not a backup: it has no backup.json"],
  ];
  const target = path("target");
  for (const [source, message] of cases) {
    assert.equal(await refusal(["restore", source, `--data=${target}`]), `sidero: ${message}\n`);
    assert.equal(existsSync(target), false);
  }

  const journal = await readFile(path("data/journal.db"));
  assert.match(await refusal(["restore", path("good"), `--data=${path("data")}`]), /^sidero: \/data holds a store already/);
  assert.deepEqual(await readFile(path("data/journal.db")), journal);
  await mkdir(join(target, "pki"), { recursive: true });
  await writeFile(join(target, "pki/ca.key"), "another's");
  const occupied = await refusal(["restore", path("good"), `--data=${target}`]);
  assert.equal(occupied, "sidero: /target/pki/ca.key is of another installation\n");
  assert.deepEqual(await readdir(target), ["pki"]);
});
