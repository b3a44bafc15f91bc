/**
 * Which disks of a machine a wipe writes to, and why it leaves the others alone. The agent asks with what its kernel has, `sidero plan` and the
 * judgement of the agent's report with what is on record: the same function, so that the plan is what happens.
 */
import type { StorageInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { DiskSelector, WipePolicy } from "#kinds/metal/v1alpha2/server.ts";
import type { TypeOf } from "#schema/kit.ts";

/** A block device, as far as the choice needs it; what is not known is absent. */
export interface BlockDevice {
  /** Of the kernel: `sda`. */
  readonly name: string;
  readonly model?: string | undefined;
  readonly serial?: string | undefined;
  readonly wwid?: string | undefined;
  readonly bytes: number;
  /** SSD, HDD, NVMe, SD or Unknown. */
  readonly type?: string | undefined;
  /** nvme, sata, sas, usb, virtio and so on. */
  readonly transport?: string | undefined;
  readonly removable?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
}

export interface DiskChoice<Device extends BlockDevice = BlockDevice> {
  readonly device: Device;
  /** Why nothing is written to it; absent: it is wiped. */
  readonly skipped?: string;
}

/** Nobody has said what is to become of it: it is left as it is, and the machine is not clean. */
export const ON_NETWORK = "it is on a storage network, where others may use it: spec.wipe.only or spec.wipe.keep has to name it";
/** What is there may be another machine's disk, or that of several. */
const NETWORKS: ReadonlySet<string> = new Set(["fc", "iscsi", "nvmf"]);

export type DiskPolicy = Pick<WipePolicy, "only" | "keep">;

/** What is made of disks, of memory or of other machines' disks; Documentation/admin-guide/devices.txt. */
const NO_DISK = /^(?:loop|md|dm-|ram|zram|nbd|sr|sg|fd|mtdblock|rbd|drbd|bcache)\d*/;
/**
 * What management controllers show a machine as drives. Not every "virtual disk" is one of these: VMware and Hyper-V call the real disks of
 * their machines so, and RAID controllers theirs.
 */
const VIRTUAL_MEDIA =
  /^(?:AMI|iDRAC|iLO|Dell|HPE?|IBM|Lenovo|Sun|Fujitsu|Raritan|American Megatrends)?\s*virtual\s*(?:cd|dvd|floppy|fd|hdisk|harddisk|media|usb|key|flash|drive|rom)/i;
const CONTROLLERS_DRIVES = /^(?:LCDRIVE|OEMDRV|SECUPD|iDRAC.*|AMI Virtual.*|Internal Dual SD)$/i;

/** One choice for each device, in their order. Of several paths to one disk the first is taken. */
export function chooseDisks<Device extends BlockDevice>(devices: readonly Device[], policy: DiskPolicy): DiskChoice<Device>[] {
  const only = policy.only ?? [];
  const keep = policy.keep ?? [];
  const keptUnits = new Set(devices.filter((device) => keep.some((selector) => fits(selector, device, true))).map(unitOf));
  const onlyUnits = new Set(devices.filter((device) => only.some((selector) => fits(selector, device, false))).map(unitOf));
  const firstOf = new Map<string, string>();
  return devices.map((device) => {
    const unit = unitOf(device);
    const skipped =
      problemOf(device) ??
      // By unit: whoever keeps a disk by one of its names means all of it.
      (keptUnits.has(unit) ? "spec.wipe.keep has it" : undefined) ??
      (only.length > 0 && !onlyUnits.has(unit) ? "spec.wipe.only does not have it" : undefined) ??
      (NETWORKS.has(device.transport ?? "") && !onlyUnits.has(unit) ? ON_NETWORK : undefined);
    if (skipped !== undefined) return { device, skipped };
    const first = firstOf.get(unit);
    if (first !== undefined) return { device, skipped: `another path to ${first}` };
    firstOf.set(unit, device.name);
    return { device };
  });
}

/** What is on record of a machine's disks. */
export function recordedDevices(storage: TypeOf<typeof StorageInformation> | undefined): BlockDevice[] {
  return (storage?.devices ?? []).map(
    ({ name = "", deviceName = "", productName, serialNumber, wwid, size = 0, type, transport, removable, readOnly }) => ({
      // Upstream's agent reports the path alone.
      name: name || deviceName.replace(/^\/dev\//, ""),
      model: productName,
      serial: serialNumber,
      wwid,
      bytes: size,
      type,
      transport,
      removable,
      readOnly,
    }),
  );
}

function problemOf({ name, model = "", bytes, transport, removable, readOnly }: BlockDevice): string | undefined {
  if (NO_DISK.test(name)) return "it is no disk";
  if (transport === "usb") return "it hangs on USB";
  if (VIRTUAL_MEDIA.test(model.trim()) || CONTROLLERS_DRIVES.test(model.trim())) return "it is virtual media";
  if (removable === true) return "its medium can be taken out";
  if (readOnly === true) return "it is read-only";
  return bytes > 0 ? undefined : "it has no medium";
}

/**
 * The same for all paths to one disk. World-wide names alone are not enough: cheap disks share them, and taking two disks for one would leave
 * the other as it was.
 */
function unitOf({ name, wwid = "", serial = "", model = "", bytes }: BlockDevice): string {
  return wwid === "" ? `name ${name}` : ["wwid", wwid, serial, model, bytes].join(" ");
}

/** Whether all fields that are given fit. `whenEmpty`: what an entry that asks for nothing does, which is what spares disks. */
function fits(selector: DiskSelector, device: BlockDevice, whenEmpty: boolean): boolean {
  const { name = "", serial = "", wwid = "", model = "", type = "" } = selector;
  const asked = [name, serial, wwid, model, type].filter((text) => text !== "");
  if (asked.length === 0) return whenEmpty;
  return (
    (name === "" || name.replace(/^\/dev\//, "") === device.name) &&
    (serial === "" || serial === device.serial) &&
    (wwid === "" || wwid === device.wwid) &&
    (model === "" || isLike(device.model ?? "", model)) &&
    (type === "" || type.toLowerCase() === (device.type ?? "").toLowerCase())
  );
}

/** `*` stands for anything; upper and lower case are the same. In time proportional to the product of the lengths. */
function isLike(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  const whole = text.toLowerCase();
  if (last === undefined) return whole === first;
  if (whole.length < first.length + last.length || !whole.startsWith(first) || !whole.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = whole.indexOf(part, at);
    if (found < 0 || found + part.length > whole.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
