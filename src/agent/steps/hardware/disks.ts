/** Disks: everything in /sys/block that a system could be written to. */
import { StorageType } from "#proto/api_pb.js";
import { toLatin1 } from "#std/bytes.ts";
import { pathOfDisk, transportOf } from "./disk-path.ts";
import type { Hardware } from "./smbios.ts";
import { BLOCK_FILES, devicesIn, numberOf, textOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

const BLOCK = "/sys/block";
/** Not disks but what is made of them, memory, and drives for media. */
const NO_DISKS =
  /^(?:sg|sr|loop|md|dm-|ram|zram|nbd|fd|mtdblock|rbd|drbd|bcache)\d*|^nvme\d+c\d+n|^mmcblk\d+(?:boot\d+|rpmb|gp\d+)/;
/** `size` is in units of 512 bytes, whatever the disk's blocks are (Documentation/ABI/stable/sysfs-block). */
const SECTOR = 512;
/** SCSI peripheral device types of disks (SPC-5 table 150): direct access, simplified, host managed zones. */
const DISK_TYPES: ReadonlySet<number> = new Set([0x00, 0x0e, 0x14]);

type Storage = NonNullable<Hardware["storage"]>;
type Disk = NonNullable<Storage["devices"]>[number];

/** Disks by name; those of no size (card readers without a card) are left out, as upstream does. */
export function storageFacts(tree: Tree): Hardware {
  const devices = devicesIn(tree, BLOCK).flatMap((name) => diskFacts(tree, name) ?? []);
  const total = devices.reduce((sum, { size }) => sum + size, 0n);
  return { storage: { totalSize: total, deviceCount: devices.length, devices } };
}

/** What tells a disk from others, as its report has it; undefined when there is none of that name. `read`: a file, undefined when it cannot be read. */
export function diskIdentity(
  name: string,
  read: (path: string) => Uint8Array | undefined,
): { readonly serial: string; readonly wwid: string; readonly bytes: number } | undefined {
  const paths = BLOCK_FILES.map((file) => `${BLOCK}/${name}/${file}`);
  const files = new Map(
    paths.flatMap((path): [string, Uint8Array][] => {
      const content = read(path);
      return content === undefined ? [] : [[path, content]];
    }),
  );
  const tree = { files, links: new Map() };
  const sectors = numberOf(tree, `${BLOCK}/${name}/size`);
  return sectors === undefined ? undefined : { ...labelsOf(tree, name), bytes: sectors * SECTOR };
}

function diskFacts(tree: Tree, name: string) {
  const text = (file: string): string | undefined => textOf(tree, `${BLOCK}/${name}/${file}`);
  const number = (file: string): number | undefined => numberOf(tree, `${BLOCK}/${name}/${file}`);
  const sectors = number("size") ?? 0;
  const type = number("device/type");
  if (NO_DISKS.test(name) || sectors === 0 || (type !== undefined && !DISK_TYPES.has(type))) return undefined;
  const device = tree.links.get(`${BLOCK}/${name}`) ?? "";
  const rotational = flag(number("queue/rotational"));
  const removable = flag(number("removable"));
  const readOnly = flag(number("ro"));
  const discard = number("queue/discard_max_bytes");
  return {
    type: storageType(name, rotational),
    size: BigInt(sectors) * BigInt(SECTOR),
    model: text("device/model") ?? text("device/name") ?? "",
    ...labelsOf(tree, name),
    name,
    deviceName: `/dev/${name.replaceAll("!", "/")}`,
    uuid: text("uuid") ?? "",
    byPath: pathOfDisk(device),
    transport: transportOf(device, name),
    logicalBlockSize: number("queue/logical_block_size") ?? 0,
    physicalBlockSize: number("queue/physical_block_size") ?? 0,
    firmwareVersion: text("device/firmware_rev") ?? text("device/rev") ?? "",
    ...(rotational === undefined ? {} : { rotational }),
    ...(discard === undefined ? {} : { discard: discard > 0 }),
    ...(removable === undefined ? {} : { removable }),
    ...(readOnly === undefined ? {} : { readOnly }),
  } satisfies Disk;
}

function labelsOf(tree: Tree, name: string): { readonly serial: string; readonly wwid: string } {
  const text = (file: string): string | undefined => textOf(tree, `${BLOCK}/${name}/${file}`);
  const page = tree.files.get(`${BLOCK}/${name}/device/vpd_pg80`);
  return {
    serial: text("device/serial") ?? text("serial") ?? unitSerial(page) ?? text("device/cid") ?? "",
    wwid: text("wwid") ?? text("device/wwid") ?? "",
  };
}

function flag(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0;
}

function storageType(name: string, rotational: boolean | undefined): StorageType {
  if (name.startsWith("nvme")) return StorageType.NVMe;
  if (name.startsWith("mmcblk")) return StorageType.SD;
  if (rotational === undefined) return StorageType.Unknown;
  return rotational ? StorageType.HDD : StorageType.SSD;
}

/** The Unit Serial Number page (SPC-5 §7.7.19): four bytes of header, then text. */
function unitSerial(page: Uint8Array | undefined): string | undefined {
  if (page === undefined || page[1] !== 0x80) return undefined;
  const text = toLatin1(page.subarray(4, 4 + (page[3] ?? 0)))
    .replaceAll(/[^\x20-\x7e]/g, "")
    .trim();
  return text === "" ? undefined : text;
}
