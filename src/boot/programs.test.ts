import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import type { Log } from "#io/log.ts";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { architectureOf } from "#wire/dhcp/architecture.ts";
import { loadPrograms, programsOf } from "./programs.ts";
import type { Programs } from "./programs.ts";

async function load(files: Readonly<Record<string, string | number>>, log: Log = silent): Promise<Programs> {
  const disk = createMemoryDisk();
  for (const [path, content] of Object.entries(files)) {
    await disk.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o755);
    await disk.writeAtomic(path, typeof content === "string" ? content : new Uint8Array(content), 0o644);
  }
  return loadPrograms(disk, ["/ours", "/debian"], log);
}

function textOf(programs: Programs, name: string): string | undefined {
  const bytes = programs.get(name)?.bytes;
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

test("our directory comes before Debian's, whose names are known too", async () => {
  const programs = await load({
    "/ours/snp.efi": "our snp",
    "/debian/snponly.efi": "Debian's snponly",
    "/debian/undionly.kpxe": "Debian's undionly",
    "/debian/ipxe.efi": "Debian's ipxe",
    "/ours/ipxe.efi": "our ipxe",
  });
  assert.equal(textOf(programs, "snp.efi"), "our snp");
  assert.equal(textOf(programs, "snponly.efi"), "Debian's snponly");
  assert.equal(textOf(programs, "ipxe.efi"), "our ipxe");
  assert.equal(textOf(programs, "undionly.kpxe.0"), "Debian's undionly");
  assert.equal(programs.get("undionly.kpxe.0")?.name, "undionly.kpxe.0");
  for (const name of ["snp-arm64.efi", "", "constructor", "__proto__", "../ours/snp.efi", "/ours/snp.efi"]) {
    assert.equal(programs.get(name), undefined, name);
  }
  assert.deepEqual(programs.names, ["ipxe.efi", "snp.efi", "snponly.efi", "undionly.kpxe"]);
});

test("files in directories are served by their paths", async () => {
  const programs = await load({ "/ours/8a1b/start4.elf": "board", "/ours/a/b/c/deep": "deep", "/ours/a/b/c/d/deeper": "deeper" });
  assert.equal(textOf(programs, "8a1b/start4.elf"), "board");
  assert.deepEqual(programs.names, ["8a1b/start4.elf", "a/b/c/deep"]);
});

test("a file that is too large is left out, and the log says which", async () => {
  const lines: string[] = [];
  const log = { ...silent, warn: (line: string) => lines.push(line) };
  const programs = await load({ "/ours/huge.iso": 33 * 1024 * 1024, "/ours/snp.efi": "snp" }, log);
  assert.deepEqual(programs.names, ["snp.efi"]);
  assert.match(lines.join("\n"), /left out: \/ours\/huge\.iso has 34603008 bytes/);
});

test("firmware gets a program of its own kind or hears why not", () => {
  const all = ["undionly.kpxe", "snp.efi", "ipxe.efi", "snp-arm64.efi", "snp-ia32.efi"];
  const choose = (code: number, names: readonly string[]): string => {
    const choice = programsOf(new Map(names.map((name) => [name, new Uint8Array()]))).programFor(architectureOf(code)!);
    return "name" in choice ? choice.name : choice.refusal;
  };
  const table: readonly (readonly [code: number, names: readonly string[], choice: string])[] = [
    [0, all, "undionly.kpxe"],
    [20, all, "undionly.kpxe"],
    [6, all, "snp-ia32.efi"],
    [15, all, "snp-ia32.efi"],
    [7, all, "snp.efi"],
    [9, all, "snp.efi"],
    [16, all, "snp.efi"],
    [7, ["ipxe.efi"], "ipxe.efi"],
    [7, ["snponly.efi"], "snp.efi"],
    [11, all, "snp-arm64.efi"],
    [19, all, "snp-arm64.efi"],
    [22, all, "snp-arm64.efi"],
    [6, ["snp.efi", "ipxe.efi"], "the boot program for x86 UEFI is missing: snp-ia32.efi"],
    [11, ["snp.efi"], "the boot program for ARM 64-bit UEFI is missing: snp-arm64.efi"],
    [0, [], "the boot program for x86 BIOS is missing: undionly.kpxe"],
    [27, all, "there is no boot program for RISC-V 64-bit UEFI"],
    [2, all, "there is no boot program for Itanium"],
  ];
  for (const [code, names, choice] of table) assert.equal(choose(code, names), choice);
});
