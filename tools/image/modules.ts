/** Which kernel modules go into the image, with what they depend on, and the tables by which modprobe finds them. */
import { readFileSync, globSync } from "node:fs";
import { basename } from "node:path";
import { sectionBytes } from "./elf.ts";

export interface Module {
  /** As `lsmod` prints it: underscores. */
  readonly name: string;
  /** In the package, below `/lib/modules/<version>`. */
  readonly path: string;
  readonly content: Buffer;
  /** Names of modules that must be there first. */
  readonly needs: readonly string[];
  /** What devices or requests say to get this module: `pci:v00008086d…`, `fs-squashfs`. */
  readonly aliases: readonly string[];
  readonly firmware: readonly string[];
}

/** Every module below `/lib/modules/<version>` of an unpacked kernel package, by name. */
export function readModules(directory: string): Map<string, Module> {
  const paths = globSync("**/*.ko", { cwd: directory }).toSorted();
  if (paths.length === 0) throw new Error(`no uncompressed kernel modules in ${directory}`);
  return new Map(paths.map((path) => readModule(directory, path)).map((module) => [module.name, module]));
}

function readModule(directory: string, path: string): Module {
  const content = readFileSync(`${directory}/${path}`);
  const facts = (sectionBytes(content, ".modinfo") ?? Buffer.alloc(0)).toString("latin1").split("\0");
  const all = (key: string): string[] =>
    facts.filter((fact) => fact.startsWith(`${key}=`)).map((fact) => fact.slice(key.length + 1));
  // "pre: a b post: c": what is wanted first is needed as far as we are concerned.
  const soft = all("softdep").flatMap((text) => /pre:\s*(.*?)(?:post:|$)/.exec(text)?.[1]?.split(/\s+/) ?? []);
  return {
    name: moduleName(basename(path, ".ko")),
    path,
    content,
    needs: [...all("depends").flatMap((names) => names.split(",")), ...soft].filter((name) => name !== "").map(moduleName),
    aliases: all("alias"),
    firmware: all("firmware"),
  };
}

function moduleName(name: string): string {
  return name.replaceAll("-", "_");
}

/**
 * The modules that `wanted` names and all they depend on, in order of their names. A line of `wanted` is a module's name, or a folder
 * of the kernel's tree (`drivers/net/ethernet/intel/`) for everything in it. Names the kernel does not have are passed over: they
 * differ between architectures. Throws when none is found at all.
 */
export function selectModules(all: ReadonlyMap<string, Module>, wanted: readonly string[]): Module[] {
  const chosen = new Map<string, Module>();
  const choose = (name: string): void => {
    const module = all.get(name);
    if (module === undefined || chosen.has(name)) return;
    chosen.set(name, module);
    for (const need of module.needs) choose(need);
  };
  for (const line of wanted) {
    if (!line.endsWith("/")) choose(moduleName(line));
    else for (const { name, path } of all.values()) if (path.startsWith(`kernel/${line}`)) choose(name);
  }
  if (chosen.size === 0) throw new Error("the kernel has none of the wanted modules");
  return [...chosen.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** `modules.dep` (busybox loads from right to left) and `modules.alias`, as depmod(8) writes them. */
export function moduleTables(modules: readonly Module[]): { readonly dep: string; readonly alias: string } {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const dep = modules.map((module) =>
    `${module.path}: ${closure(module, byName)
      .map(({ path }) => path)
      .join(" ")}`.trimEnd(),
  );
  const alias = modules.flatMap(({ name, aliases }) => aliases.map((text) => `alias ${text} ${name}`));
  return { dep: `${dep.join("\n")}\n`, alias: `${alias.join("\n")}\n` };
}

/** What a module needs, the nearest first: whoever loads from the end finds everything in place. */
function closure(module: Module, byName: ReadonlyMap<string, Module>): Module[] {
  const order: Module[] = [];
  const visit = (name: string): void => {
    const needed = byName.get(name);
    if (needed === undefined || order.includes(needed)) return;
    for (const need of needed.needs) visit(need);
    order.push(needed);
  };
  for (const need of module.needs) visit(need);
  return order.toReversed();
}
