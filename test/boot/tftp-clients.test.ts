/** The TFTP server on a real socket, and clients that we did not write. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createTftpFiles } from "#boot/tftp/files.ts";
import { createTftp } from "#boot/tftp/server.ts";
import { programsOf } from "#boot/programs.ts";
import type { Sighting } from "#decide/sighting.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { openUdp } from "#io/node/udp.ts";
import { bringTftpClients, withoutPeer } from "../peers/locate.ts";

const SNP = Uint8Array.from({ length: 284_672 }, (_, i) => (i * 2_654_435_761) >>> 24);
const SCRIPT = "#!ipxe\nchain http://127.0.0.1:8081/boot.ipxe\n";

const skip = withoutPeer("tftp-clients");
const folder = mkdtempSync(join(tmpdir(), "sidero-tftp-"));
const run = promisify(execFile);
const sightings: Sighting[] = [];
const server = createTftp({
  openUdp,
  interfaces,
  address: { host: "127.0.0.1", port: 0 },
  files: createTftpFiles({
    programs: programsOf(new Map([["snponly.efi", SNP]])),
    script: (local) => SCRIPT.replace("127.0.0.1", local),
  }),
  clock: systemClock,
  log: silent,
  witness: (sighting) => sightings.push(sighting),
});
let port: string;

before(async () => {
  if (skip === false) bringTftpClients();
  await server.start();
  port = String(server.endpoints[0]!.port);
});

after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition());
}

/** The clients' commands that fetch `name` to a path; each prints why it failed. */
const CLIENTS: Readonly<Record<string, (name: string, target: string) => readonly string[]>> = {
  atftp: (name, target) => ["atftp", "--get", "-r", name, "-l", target, "127.0.0.1", port],
  "atftp with windows": (name, target) => [
    "atftp",
    "--option",
    "blksize 1468",
    "--option",
    "windowsize 4",
    "--option",
    "tsize",
    "--get",
    "-r",
    name,
    "-l",
    target,
    "127.0.0.1",
    port,
  ],
  "tftp-hpa": (name, target) => ["tftp", "-4", "-m", "binary", "127.0.0.1", port, "-c", "get", name, target],
  curl: (name, target) => ["curl", "-sS", "-o", target, `tftp://127.0.0.1:${port}/${name}`],
  "curl with large blocks": (name, target) => [
    "curl",
    "-sS",
    "--tftp-blksize",
    "8192",
    "-o",
    target,
    `tftp://127.0.0.1:${port}/${name}`,
  ],
};

for (const [client, command] of Object.entries(CLIENTS)) {
  test(`${client} fetches a program, by upstream's name and in recipes' directories, and the script`, { skip }, async () => {
    const table: readonly (readonly [name: string, content: Uint8Array])[] = [
      ["snp.efi", SNP],
      ["tftpboot/snp.efi", SNP],
      ["autoexec.ipxe", Buffer.from(SCRIPT)],
    ];
    for (const [name, content] of table) {
      const target = join(folder, "fetched");
      const [program, ...args] = command(name, target);
      const before = sightings.length;
      await run(program!, args, { timeout: 20_000 });
      assert.equal(Buffer.compare(readFileSync(target), content), 0, name);
      rmSync(target);
      await until(() => sightings.length > before);
      assert.deepEqual([sightings.at(-1)!.what, sightings.at(-1)!.bytes], ["tftp.sent", content.length]);
      assert.match(sightings.at(-1)!.text, new RegExp(`^sent ${name}: ${content.length} bytes in \\d+ ms`));
    }
  });
}

test("a missing file is said to be missing, in the client's words and in a sighting", { skip }, async () => {
  // curl says by its exit code that the file is missing, and in words (until 8.0) that its socket is not connected.
  for (const [client, words] of [
    ["atftp", /no file "none\.efi"/],
    ["tftp-hpa", /no file "none\.efi"/],
    ["curl", /\(68\)/],
  ] as const) {
    const [program, ...args] = CLIENTS[client]!("none.efi", join(folder, "none"));
    const before = sightings.length;
    const { stdout, stderr } = await run(program!, args, { timeout: 20_000 }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    assert.match(stdout + stderr, words, client);
    await until(() => sightings.length > before);
    assert.equal(sightings.at(-1)!.text, 'asked for none.efi: there is no file "none.efi"');
  }
});

test("40 clients at once", { skip, timeout: 60_000 }, async () => {
  const targets = Array.from({ length: 40 }, (_, i) => join(folder, `many-${i}`));
  await Promise.all(
    targets.map((target) => {
      const [program, ...args] = CLIENTS["atftp with windows"]!("snp.efi", target);
      return run(program!, args, { timeout: 50_000 });
    }),
  );
  for (const target of targets) assert.equal(Buffer.compare(readFileSync(target), SNP), 0);
  await until(() => server.running === 0);
});
