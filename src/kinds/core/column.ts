/** Printer columns that several kinds have. */
import type { PrinterColumn } from "#schema/structural.ts";

export const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  description: "Time since the object was created.",
  jsonPath: ".metadata.creationTimestamp",
};

/** Entries of a map, for columns that count. */
export function sizeOf(...maps: unknown[]): number {
  return maps.reduce<number>((sum, map) => sum + (typeof map === "object" && map !== null ? Object.keys(map).length : 0), 0);
}
