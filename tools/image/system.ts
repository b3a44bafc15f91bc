/** What is in the agent's system: busybox, Node with its libraries, kernel modules, names of PCI devices, and the scripts of `image/`. */
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { directory, file, link } from "./cpio.ts";
import type { Entry } from "./cpio.ts";
import { neededLibraries, sectionBytes, stripped } from "./elf.ts";
import { blankCompiler, blankLanguages } from "./ballast.ts";
import { moduleTables, readModules, selectModules } from "./modules.ts";

export interface SystemSources {
  /** Unpacked Debian packages. */
  readonly root: string;
  /** The folder `image/` of the project. */
  readonly recipe: string;
  /** Path of the Node program, as npm brings it. */
  readonly node: string;
  /** Directories of the npm packages with which Node calls the C library. */
  readonly koffi: string;
  readonly koffiLibrary: string;
}

/** What the scripts and the agent call. */
const APPLETS =
  "awk cat cp cut date dmesg echo env find free grep head hostname hwclock ifconfig insmod ip kill ln ls lsmod mkdir modprobe mount mv nc ping poweroff " +
  "printf ps reboot rm sed seq sh sleep sort sync tail test timeout top tr udhcpc umount uname uptime vi wc wget xargs";

const DIRECTORIES = ["dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/sbin"];
/** Where Debian puts libraries. */
const LIBRARY_PATHS = ["lib/{triplet}", "usr/lib/{triplet}", "lib64", "lib"];

/** Files and links of the system, ordered by path. */
export function systemTree({ root, recipe, node, koffi, koffiLibrary }: SystemSources): Entry[] {
  const program = Buffer.from(readFileSync(node));
  blankLanguages(program);
  blankCompiler(program);
  const version = readdirSync(`${root}/lib/modules`)[0]!;
  const script = (path: string, name: string): Entry => file(path, readFileSync(`${recipe}/${name}`), 0o755);
  return [
    ...DIRECTORIES.map(directory),
    // The first program leaves it there.
    link("bin/busybox", "/run/busybox"),
    ...APPLETS.split(" ").map((applet) => link(`bin/${applet}`, "busybox")),
    script("sbin/init", "system-init"),
    script("etc/udhcpc/default.script", "udhcpc"),
    file("usr/bin/node", stripped(program), 0o755),
    ...libraries(program, root),
    ...packageTree(koffi, "node_modules/koffi", ["package.json", "index.cjs", "src/koffi/**/*.cjs"]),
    ...packageTree(koffiLibrary, `node_modules/${nameOf(koffiLibrary)}`, ["package.json", "index.js", "linux_*/koffi.node"]),
    ...moduleTree(`${root}/lib/modules/${version}`, `lib/modules/${version}`, `${recipe}/modules.txt`),
    file("usr/share/misc/pci.ids", readFileSync(`${root}/usr/share/misc/pci.ids`)),
    file("etc/passwd", "root:x:0:0:root:/run:/bin/sh\n"),
    file("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    link("etc/resolv.conf", "/run/resolv.conf"),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function libraries(program: Buffer, root: string): Entry[] {
  const interpreter = sectionBytes(program, ".interp")!.toString("latin1").replace(/\0$/, "").slice(1);
  const triplet = readdirSync(`${root}/usr/lib`).find((name) => name.endsWith("-linux-gnu"))!;
  const locate = (name: string): string => {
    const found = LIBRARY_PATHS.map((path) => `${root}/${path.replace("{triplet}", triplet)}/${name}`).find((path) =>
      existsSync(path),
    );
    if (found === undefined) throw new Error(`no package brought ${name}`);
    return found;
  };
  const entries = new Map<string, Entry>();
  const add = (name: string, path: string): void => {
    if (entries.has(name)) return;
    const content = readFileSync(locate(name));
    entries.set(name, file(path, content, 0o755));
    for (const needed of neededLibraries(content)) add(needed, `lib/${triplet}/${needed}`);
  };
  add(interpreter.split("/").at(-1)!, interpreter);
  for (const name of neededLibraries(program)) add(name, `lib/${triplet}/${name}`);
  return [...entries.values()];
}

function packageTree(source: string, target: string, patterns: string[]): Entry[] {
  return globSync(patterns, { cwd: source }).map((path) => file(`${target}/${path}`, readFileSync(`${source}/${path}`)));
}

function nameOf(directory: string): string {
  return (JSON.parse(readFileSync(`${directory}/package.json`, "utf8")) as { name: string }).name;
}

function moduleTree(source: string, target: string, list: string): Entry[] {
  const wanted = readFileSync(list, "utf8")
    .split("\n")
    .map((line) => line.trim());
  const modules = selectModules(
    readModules(source),
    wanted.filter((line) => line !== "" && !line.startsWith("#")),
  );
  const { dep, alias } = moduleTables(modules);
  return [
    ...modules.map(({ path, content }) => file(`${target}/${path}`, content)),
    file(`${target}/modules.dep`, dep),
    file(`${target}/modules.alias`, alias),
    file(`${target}/modules.symbols`, ""),
  ];
}

/** Writes the tree below a new directory. Owners and times are what the one who packs it makes of them. */
export function stageTree(tree: readonly Entry[], target: string): void {
  for (const { path, mode, content = new Uint8Array() } of tree) {
    const at = `${target}/${path}`;
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 });
    const type = mode & 0o170000;
    if (type === 0o040000) mkdirSync(at, { recursive: true, mode: 0o755 });
    else if (type === 0o120000) symlinkSync(Buffer.from(content).toString(), at);
    else writeFileSync(at, content, { mode: mode & 0o777 });
  }
}
