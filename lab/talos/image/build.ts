/**
 * Makes what stands in for Talos' release: `node lab/talos/image/build.ts [OUT]` writes `vmlinuz-amd64` and `initramfs-amd64.xz` to OUT. The
 * initial RAM disk is three archives, one behind the other: the system (the agent's own, compressed), what the installer puts on a disk, and
 * what starts it all with the program of this folder. The second is not on an installed disk.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { bundle } from "../../../tools/image/bundle.ts";
import { archive, characterDevice, directory, file } from "../../../tools/image/cpio.ts";
import { readModules, selectModules } from "../../../tools/image/modules.ts";
import type { Module } from "../../../tools/image/modules.ts";
import { fetchPackages, run } from "../../../tools/image/packages.ts";
import { CACHE, PROJECT } from "../../../tools/image/places.ts";
import { PACKAGES, systemImage } from "../../../tools/image/system-image.ts";
import { FILES } from "./files.ts";

/** Boot loaders and what makes their file system, with what grub-mkimage itself is linked to. */
const LOADERS = ["grub-common", "grub-pc-bin", "systemd-boot-efi", "dosfstools"];
/** For SideroLink: its program, and below what is loaded when it is wanted. */
const WIREGUARD = ["wireguard-tools"];
const LIBRARIES = ["libdevmapper1.02.1", "liblzma5", "libselinux1", "libudev1", "libpcre2-8-0"];
/** To mount the system, and the file systems of an installed disk; ext4 finds what it counts checks with by that name only. */
const MODULES = ["loop", "squashfs", "vfat", "nls_cp437", "nls_ascii", "crc32c_generic", "ext4"];
/** Of GRUB, for a disk with a GPT whose first partition is FAT. */
const GRUB = ["biosdisk", "part_gpt", "fat", "normal", "linux", "configfile", "echo", "serial", "terminal"];

const [target = `${CACHE}/../talos/out`] = process.argv.slice(2);
build(target);

function build(out: string): void {
  const started = Date.now();
  const packages = fetchPackages("amd64", [...PACKAGES, ...LOADERS, ...WIREGUARD, ...LIBRARIES], CACHE);
  const { root } = packages;
  const version = readdirSync(`${root}/lib/modules`)[0]!;
  const all = readModules(`${root}/lib/modules/${version}`);
  const modules = inOrder(all, MODULES);
  const tunnel = inOrder(all, ["wireguard"]);
  const recipe = (name: string): Buffer => readFileSync(`${PROJECT}/lab/talos/image/${name}`);
  const start = archive([
    ...["dev", "proc", "sys", "system"].map(directory),
    // The kernel opens it for the first program before anything is mounted.
    characterDevice("dev/console", 5, 1),
    file("init", recipe("init"), 0o755),
    file("bin/busybox", readFileSync(`${root}/bin/busybox`), 0o755),
    ...modules.map(({ name, content }) => file(`modules/${name}.ko`, content)),
    file("modules/order", `${modules.map(({ name }) => name).join("\n")}\n`),
    file("run/bin/wg", readFileSync(`${root}/usr/bin/wg`), 0o755),
    ...tunnel.map(({ name, content }) => file(`run/modules/${name}.ko`, content)),
    file("run/modules/order", `${tunnel.map(({ name }) => name).join("\n")}\n`),
    file("run/system-init", recipe("system-init"), 0o755),
    file(
      "run/machined.cjs",
      bundle('import { machined } from "./lab/talos/machine/machined.ts"; void machined();', {
        "./journal-worker.ts": "journal-worker.cjs",
      }),
    ),
    file("run/journal-worker.cjs", bundle('import "#io/node/journal-worker.ts";')),
  ]);
  mkdirSync(out, { recursive: true });
  const compressed = memoized(start, out);
  const installer = archive(
    Object.entries({
      [FILES.kernel]: readFileSync(`${root}/boot/vmlinuz-${version}`),
      [FILES.start]: compressed,
      [FILES.bootSector]: readFileSync(`${root}/usr/lib/grub/i386-pc/boot.img`),
      [FILES.core]: grubCore(root, out),
      [FILES.systemdBoot]: readFileSync(`${root}/usr/lib/systemd/boot/efi/systemd-bootx64.efi`),
      [FILES.makeFat]: readFileSync(`${root}/sbin/mkfs.fat`),
    }).map(([name, content]) => file(`installer/${name}`, content, 0o755)),
  );
  // What is compressed already is not compressed again. Plain archives come first: the kernel wants their beginnings at multiples of four.
  const system = archive([file("system.squashfs", readFileSync(systemImage("amd64", packages)))]);
  const draft = `${out}/draft-${process.pid}`;
  writeFileSync(draft, Buffer.concat([system, installer, compressed]));
  renameSync(draft, `${out}/initramfs-amd64.xz`);
  copyFileSync(`${root}/boot/vmlinuz-${version}`, draft);
  renameSync(draft, `${out}/vmlinuz-amd64`);
  const sizes = ["vmlinuz-amd64", "initramfs-amd64.xz"].map(
    (name) => `${name} ${(readFileSync(`${out}/${name}`).length / 2 ** 20).toFixed(1)} MiB`,
  );
  console.log(`talos stand-in: ${sizes.join(", ")} in ${out} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** The archive compressed; kept by its content, as compressing takes seconds. */
function memoized(content: Buffer, out: string): Buffer {
  const path = `${out}/start-${createHash("sha256").update(content).digest("hex").slice(0, 16)}.zst`;
  if (!existsSync(path)) {
    for (const old of readdirSync(out)) if (old.startsWith("start-")) rmSync(`${out}/${old}`);
    const draft = `${out}/start.draft`;
    writeFileSync(draft, content);
    run("zstd", ["-q", "-f", "-12", "--no-check", draft, "-o", `${draft}.zst`], out);
    rmSync(draft);
    renameSync(`${draft}.zst`, path);
  }
  return readFileSync(path);
}

/** GRUB for a BIOS, whose configuration is on the first partition of the disk that it is started from. */
function grubCore(root: string, out: string): Buffer {
  const path = `${out}/core-${process.pid}.img`;
  const libraries = ["lib", "usr/lib"].map((directory) => `${root}/${directory}/x86_64-linux-gnu`).join(":");
  const args = ["-d", `${root}/usr/lib/grub/i386-pc`, "-O", "i386-pc", "-p", "(,gpt1)/grub", "-o", path, ...GRUB];
  run("env", [`LD_LIBRARY_PATH=${libraries}`, `${root}/usr/bin/grub-mkimage`, ...args], out);
  const core = readFileSync(path);
  rmSync(path);
  return core;
}

/** Each after what it needs. */
function inOrder(all: ReadonlyMap<string, Module>, wanted: readonly string[]): Module[] {
  const chosen = new Map(selectModules(all, wanted).map((module) => [module.name, module]));
  const order = new Set<Module>();
  const add = (module: Module | undefined): void => {
    if (module === undefined || order.has(module)) return;
    for (const need of module.needs) add(chosen.get(need));
    order.add(module);
  };
  for (const module of chosen.values()) add(module);
  return [...order];
}
