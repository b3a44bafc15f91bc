/** What an agent's report makes of the order on record. The agent is not taken at its word alone: disks that are on record must be accounted for. */
import type { Server, WipedDisk, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import { chooseDisks, ON_NETWORK, recordedDevices } from "./disks.ts";
import type { BlockDevice } from "./disks.ts";

/** A disk as reported; texts are clean and not empty. */
export type ReportedDisk = Omit<WipedDisk, "finishedAt">;

const ENDED: ReadonlySet<WipedDisk["state"]> = new Set(["done", "failed", "skipped"]);
/** Characters of `status.wipe.detail`. */
const LONGEST = 2048;

/** Whether it is the last report: no disk is still to be worked at. A machine without disks has nothing to wait for. */
export function isOver(disks: readonly ReportedDisk[]): boolean {
  return disks.every(({ state }) => ENDED.has(state));
}

/** The order with what was reported; `now` is RFC 3339. */
export function orderAfter(order: WipeOrder, disks: readonly ReportedDisk[], server: Server, now: string): WipeOrder {
  const before = new Map(order.disks?.map((disk) => [disk.name, disk]));
  const known: WipedDisk[] = disks.map((disk) => {
    const earlier = before.get(disk.name);
    if (disk.state !== "done" && disk.state !== "failed") return disk;
    return { ...disk, finishedAt: (earlier?.state === disk.state ? earlier.finishedAt : undefined) ?? now };
  });
  const heard: WipeOrder = { ...order, heardAt: now, disks: known };
  if (!isOver(disks)) return heard;
  const problems = problemsOf(disks, server);
  if (problems.length === 0) return { ...without(heard), state: "done", finishedAt: now };
  return { ...without(heard), state: "failed", detail: problems.join("; ").slice(0, LONGEST) };
}

function without({ detail: _detail, finishedAt: _finishedAt, ...rest }: WipeOrder): WipeOrder {
  return rest;
}

function problemsOf(disks: readonly ReportedDisk[], { spec }: Server): string[] {
  const failed = disks
    .filter(({ state }) => state === "failed")
    .map(({ name, detail = "it could not be wiped" }) => `${name}: ${detail}`);
  const unverified = disks
    .filter(({ state, verified }) => state === "done" && verified !== true)
    .map(({ name }) => `${name}: nobody has read back that it is empty`);
  const policy = spec?.wipe ?? {};
  const choices = chooseDisks(recordedDevices(spec?.hardware?.storage), policy);
  const due = choices.filter(({ skipped }) => skipped === undefined || skipped === ON_NETWORK);
  const spared = due.flatMap(({ device }) => {
    const same = disks.filter((disk) => isSame(disk, device));
    if (same.some(({ state }) => state !== "skipped")) return [];
    const [first] = same;
    if (first === undefined) return `${device.name}: it is on record, and the agent did not find it`;
    return `${device.name}: it was left as it was: ${first.detail ?? "no reason given"}`;
  });
  const isNoneChosen = (policy.only?.length ?? 0) > 0 && disks.every(({ state }) => state === "skipped");
  return [
    ...failed,
    ...unverified,
    ...spared,
    ...(isNoneChosen ? ["spec.wipe.only has none of the disks that the machine has"] : []),
  ];
}

/** By what is printed on it rather than by where it was found: names go by the order of discovery. */
function isSame(disk: ReportedDisk, device: BlockDevice): boolean {
  const [serial, wwid] = [compare(disk.serial, device.serial), compare(disk.wwid, device.wwid)];
  if (serial === "other" || wwid === "other") return false;
  return serial === "same" || wwid === "same" || disk.name === device.name;
}

function compare(a: string | undefined, b: string | undefined): "same" | "other" | "unknown" {
  if (a === undefined || a === "" || b === undefined || b === "") return "unknown";
  return a === b ? "same" : "other";
}
