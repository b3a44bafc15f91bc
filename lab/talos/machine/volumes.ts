/** The partitions of an installed disk, by their labels, and what is kept on them. */
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import type { Machine } from "#io/machine.ts";
import { toLatin1 } from "#std/bytes.ts";

const META_SIZE = 4096;
const STATE = "/run/state";
const CONFIG = `${STATE}/config.yaml`;
/** What Talos has at /var. */
export const EPHEMERAL = "/run/var";

export interface Block {
  /** `/dev/vda3` */
  readonly path: string;
  /** Of a partition: `STATE`. */
  readonly label: string | undefined;
  /** Of a partition: its disk, `/dev/vda`. */
  readonly disk: string;
}

/** What is kept between boots beside the configuration. */
export interface Meta {
  /** Of what is installed: the installer's tag. */
  readonly version: string;
  /** What the machine shows SideroLink to be the same as before. */
  readonly uniqueToken: string;
}

/** Disks and partitions that the kernel has. */
export async function blocks(machine: Machine): Promise<Block[]> {
  const names = await machine.list("/sys/class/block");
  const found = await Promise.all(
    names.map(async (name): Promise<Block[]> => {
      const text = toLatin1((await machine.read(`/sys/class/block/${name}/uevent`)) ?? new Uint8Array());
      const label = /^PARTNAME=(.*)$/m.exec(text)?.[1];
      if (/^(?:loop|ram|sr|fd)\d/.test(name)) return [];
      if (!/^DEVTYPE=partition$/m.test(text)) return [{ path: `/dev/${name}`, label: undefined, disk: `/dev/${name}` }];
      const place = await machine.resolve(`/sys/class/block/${name}`);
      const disk = place?.split("/").at(-2) ?? name;
      return [{ path: `/dev/${name}`, label, disk: `/dev/${disk}` }];
    }),
  );
  return found.flat();
}

export async function sizeOf(machine: Machine, disk: string): Promise<number> {
  const sectors = await machine.read(`/sys/class/block/${disk.replace(/^\/dev\//, "")}/size`);
  return Number(toLatin1(sectors ?? new Uint8Array()).trim()) * 512;
}

export interface Volumes {
  /** The disk that a system is installed on. */
  readonly disk: string;
  readonly partitions: ReadonlyMap<string, string>;
}

/** Undefined when no system is installed. */
export async function findVolumes(machine: Machine): Promise<Volumes | undefined> {
  const all = await blocks(machine);
  const state = all.find(({ label }) => label === "STATE");
  if (state === undefined) return undefined;
  const own = all.filter(({ disk, label }) => disk === state.disk && label !== undefined);
  return { disk: state.disk, partitions: new Map(own.map(({ label, path }) => [label!, path])) };
}

export async function must(machine: Machine, program: string, ...args: string[]): Promise<string> {
  const { status, output } = await machine.run(program, args, { timeout: 120_000 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${output.trim() || `exit code ${status}`}`);
  return output;
}

export async function mount(machine: Machine, path: string, target: string, type: "ext4" | "vfat"): Promise<void> {
  await mkdir(target, { recursive: true });
  await must(machine, "mount", "-t", type, path, target);
}

/** Mounts what the system keeps. A file system that is no more is made anew, as after a reset of its partition. */
export async function mountVolumes(machine: Machine, { partitions }: Volumes): Promise<void> {
  for (const [label, target] of [
    ["STATE", STATE],
    ["EPHEMERAL", EPHEMERAL],
  ] as const) {
    const path = partitions.get(label);
    if (path === undefined) throw new Error(`there is no partition ${label}`);
    await mount(machine, path, target, "ext4").catch(async () => {
      await makeFileSystem(machine, path, label);
      await mount(machine, path, target, "ext4");
    });
  }
}

/** Few inodes, one for so many bytes: on a large disk, making more would take longer than anything else in an emulated machine. */
export async function makeFileSystem(machine: Machine, path: string, label: string): Promise<void> {
  await must(machine, "/run/busybox", "mke2fs", "-F", "-i", label === "STATE" ? "65536" : "1048576", path);
}

export async function readConfig(): Promise<string | undefined> {
  return readFile(CONFIG, "utf8").catch(() => undefined);
}

export async function writeConfig(text: string): Promise<void> {
  await writeDurably(CONFIG, text);
}

export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

export async function readMeta({ partitions }: Volumes): Promise<Meta | undefined> {
  const text = (await readFile(partitions.get("META") ?? "").catch(() => Buffer.alloc(0))).subarray(0, META_SIZE);
  try {
    return JSON.parse(text.toString("utf8").replace(/\0+$/, "")) as Meta;
  } catch {
    return undefined;
  }
}

export async function writeMeta(path: string, meta: Meta): Promise<void> {
  const block = Buffer.alloc(META_SIZE);
  block.write(JSON.stringify(meta));
  await writeFile(path, block, { flag: "r+", flush: true });
}
