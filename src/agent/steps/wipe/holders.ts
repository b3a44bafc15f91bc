/** What holds a disk: arrays and mappings made of it, partitions, file systems. All but the last are taken apart before it is erased. */
import type { Machine } from "#io/machine.ts";
import type { Extent } from "#decide/wipe/places.ts";
import { toLatin1 } from "#std/bytes.ts";

const BLOCK = "/sys/class/block";
/** `start` and `size` are in units of 512 bytes (Documentation/ABI/stable/sysfs-block). */
const SECTOR = 512;
/** Arrays of mappings of arrays; deeper is a circle. */
const DEEPEST = 8;

/** Names of the partitions of a disk, such as `sda1` and `nvme0n1p1`. */
async function partitionsOf(machine: Machine, disk: string): Promise<string[]> {
  const names = (await machine.list(`${BLOCK}/${disk}`)).filter((name) => name.startsWith(disk));
  const isPartition = await Promise.all(names.map((name) => machine.read(`${BLOCK}/${disk}/${name}/partition`)));
  return names.filter((_, i) => isPartition[i] !== undefined);
}

/** Where the kernel found partitions, whatever kind of table they are in. */
export async function partitionExtents(machine: Machine, disk: string): Promise<Extent[]> {
  const extents = (await partitionsOf(machine, disk)).map(async (name) => {
    const [start, size] = [await textOf(machine, `${disk}/${name}/start`), await textOf(machine, `${disk}/${name}/size`)];
    return { at: Number(start) * SECTOR, length: Number(size) * SECTOR };
  });
  return (await Promise.all(extents)).filter(({ at, length }) => at >= 0 && length > 0);
}

async function textOf(machine: Machine, path: string): Promise<string> {
  return toLatin1((await machine.read(`${BLOCK}/${path}`)) ?? new Uint8Array()).trim();
}

/** Names of what is made of a disk or its partitions. */
export async function holdersOf(machine: Machine, disk: string): Promise<string[]> {
  const own = await machine.list(`${BLOCK}/${disk}/holders`);
  const partitions = await partitionsOf(machine, disk);
  const others = await Promise.all(partitions.map((name) => machine.list(`${BLOCK}/${disk}/${name}/holders`)));
  return [...new Set([own, others].flat(2))];
}

/**
 * Takes apart what is made of a disk, from the top: md arrays by their `array_state` (Documentation/admin-guide/md.rst: `clear` stops an array), mappings
 * by `removeMapping`. What it stopped; never rejects, since opening the disk tells what is still there.
 */
export async function takeApart(
  machine: Machine,
  disk: string,
  removeMapping: (name: string) => Promise<boolean>,
  depth = 0,
): Promise<string[]> {
  if (depth > DEEPEST) return [];
  const stopped: string[] = [];
  for (const holder of await holdersOf(machine, disk)) {
    stopped.push(...(await takeApart(machine, holder, removeMapping, depth + 1)));
    const isArray = await machine.write(`${BLOCK}/${holder}/md/array_state`, "clear\n");
    const mapping = isArray ? "" : await textOf(machine, `${holder}/dm/name`);
    if (isArray || (mapping !== "" && (await removeMapping(mapping)))) stopped.push(mapping || holder);
  }
  return stopped;
}

/** Who holds a disk that cannot be opened, in words. */
export async function holderText(machine: Machine, disk: string): Promise<string> {
  const holders = await Promise.all(
    (await holdersOf(machine, disk)).map(async (name) => {
      const mapping = await textOf(machine, `${name}/dm/name`);
      return mapping === "" ? name : `${name} (${mapping})`;
    }),
  );
  const mounts = toLatin1((await machine.read("/proc/mounts")) ?? new Uint8Array()).split("\n");
  const swaps = toLatin1((await machine.read("/proc/swaps")) ?? new Uint8Array()).split("\n");
  const names = [disk, ...(await partitionsOf(machine, disk))].map((name) => `/dev/${name}`);
  const mounted = mounts.flatMap((line) => {
    const [device = "", directory = ""] = line.split(" ");
    return names.includes(device) ? [`${device}, mounted on ${directory}`] : [];
  });
  const swapped = swaps.flatMap((line) =>
    names.includes(line.split(/\s/, 1)[0]!) ? [`${line.split(/\s/, 1)[0]!}, swapped to`] : [],
  );
  return [...holders, ...mounted, ...swapped].join(", ") || "something that does not say its name";
}
