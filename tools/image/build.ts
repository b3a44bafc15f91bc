/**
 * Makes the agent's kernel and initial RAM disk. `node tools/image/build.ts OUT [amd64|arm64]…` writes `vmlinuz-<arch>`, `initramfs-<arch>` and
 * `manifest-<arch>.json` to OUT. The same packages and sources give the same bytes.
 */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { bundle } from "./bundle.ts";
import { archive, characterDevice, directory, file } from "./cpio.ts";
import { readModules } from "./modules.ts";
import { fetchPackages, run } from "./packages.ts";
import type { DebianArchitecture } from "./packages.ts";
import { CACHE, PROJECT } from "./places.ts";
import { PACKAGES, systemImage } from "./system-image.ts";

const [out = `${CACHE}/out`, ...architectures] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
for (const architecture of architectures.length === 0 ? ["amd64"] : architectures) build(architecture as DebianArchitecture, out);

function build(architecture: DebianArchitecture, target: string): void {
  const started = Date.now();
  const packages = fetchPackages(architecture, PACKAGES, CACHE);
  const version = readdirSync(`${packages.root}/lib/modules`)[0]!;
  const system = systemImage(architecture, packages);
  const modules = readModules(`${packages.root}/lib/modules/${version}`);
  const initial = ["loop", "squashfs"].map((name) => file(`lib/${name}.ko`, modules.get(name)!.content));
  const small = archive([
    ...["dev", "proc", "sys", "system"].map(directory),
    // The kernel opens it for the first program before anything is mounted.
    characterDevice("dev/console", 5, 1),
    file("init", readFileSync(`${PROJECT}/image/init`), 0o755),
    file("bin/busybox", readFileSync(`${packages.root}/bin/busybox`), 0o755),
    ...initial,
    file("agent.cjs", bundle('import { agent } from "#main/agent.ts"; void agent();')),
    file("erase-thread.cjs", bundle('import "#main/erase-thread.ts";')),
  ]);
  const draft = `${target}/initramfs-${architecture}.draft`;
  writeFileSync(draft, small);
  run("zstd", ["-q", "-f", "-19", "--no-check", draft, "-o", `${draft}.zst`], target);
  // Two archives: what is compressed already is not compressed again, nor unpacked. It comes first, since the kernel wants the
  // beginning of a plain archive at a multiple of four.
  const initramfs = Buffer.concat([archive([file("system.squashfs", readFileSync(system))]), readFileSync(`${draft}.zst`)]);
  writeFileSync(draft, initramfs);
  rmSync(`${draft}.zst`);
  renameSync(draft, `${target}/initramfs-${architecture}`);
  copyFileSync(`${packages.root}/boot/vmlinuz-${version}`, `${target}/vmlinuz-${architecture}`);
  const files = ["vmlinuz", "initramfs"].map((name) => `${name}-${architecture}`);
  const manifest = {
    kernel: version,
    node: process.versions.node,
    packages: packages.names,
    files: Object.fromEntries(files.map((name) => [name, describe(`${target}/${name}`)])),
  };
  writeFileSync(`${target}/manifest-${architecture}.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  const sizes = files.map((name) => `${name} ${(readFileSync(`${target}/${name}`).length / 2 ** 20).toFixed(1)} MiB`);
  console.log(`image: ${sizes.join(", ")} in ${target} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

function describe(path: string): { readonly size: number; readonly sha512: string } {
  const bytes = readFileSync(path);
  return { size: bytes.length, sha512: createHash("sha512").update(bytes).digest("hex") };
}
