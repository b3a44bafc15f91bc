/** BootRecords as kubectl sees them change. */
import { createInterface } from "node:readline";
import { BootRecord, type BootRecord as Boot } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Machine } from "./machine.ts";
import type { Sidero } from "./sidero.ts";

/** Calls `see` with every BootRecord that there is, and with each as it changes, until `stop`. */
export function followRecords(sidero: Sidero, see: (record: Boot) => void): { stop(): Promise<void> } {
  const { plural, group } = BootRecord;
  const child = sidero.follow("get", `${plural}.${group}`, "--watch", "--output-watch-events", "--output=json");
  createInterface({ input: child.process.stdout! }).on("line", (line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: Boot };
    if (type !== "DELETED") see(object);
  });
  return { stop: () => child.stop() };
}

/** It is of that machine, and of its present boot or a later one. */
export function isOf({ spec, status }: Boot, { description, since }: Machine): boolean {
  const isHis = description.nics.some(({ mac }) => spec.macs?.includes(mac)) || spec.uuid === description.uuid;
  return isHis && Date.parse(status?.lastSeenAt ?? "") >= since;
}
