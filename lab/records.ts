/** BootRecords of the rack's machines. */
import { BootRecord, type BootRecord as Boot } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Machine } from "./machine.ts";
import type { Sidero } from "./sidero.ts";
import { watch, type Watch } from "./watch.ts";

/** Calls `see` with every BootRecord that there is, and with each as it changes, until `stop`. */
export function followRecords(sidero: Sidero, see: (record: Boot) => void): Watch {
  const { plural, group } = BootRecord;
  return watch(sidero, `${plural}.${group}`, see);
}

/** It is of that machine, and of its present boot or a later one. */
export function isOf({ spec, status }: Boot, { description, since }: Machine): boolean {
  const isHis = description.nics.some(({ mac }) => spec.macs?.includes(mac)) || spec.uuid === description.uuid;
  return isHis && Date.parse(status?.lastSeenAt ?? "") >= since;
}
