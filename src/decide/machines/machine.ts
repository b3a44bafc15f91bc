/** What sets of machines ask of a Machine. */
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Condition } from "#kinds/condition.ts";
import { findCondition } from "#schema/condition.ts";

export function conditionOf({ status }: Machine, type: string): Condition | undefined {
  return findCondition(status?.conditions ?? [], type);
}
export function isTrue(machine: Machine, type: string): boolean {
  return conditionOf(machine, type)?.status === "True";
}
export function isFalse(machine: Machine, type: string): boolean {
  return conditionOf(machine, type)?.status === "False";
}
export function isDeleting({ metadata }: Machine): boolean {
  return metadata.deletionTimestamp !== undefined;
}
export function hasAnnotation({ metadata }: Machine, key: string): boolean {
  return metadata.annotations !== undefined && Object.hasOwn(metadata.annotations, key);
}
/** Milliseconds since 1970; 0 while the server has not said. */
export function createdAt({ metadata }: { readonly metadata: Machine["metadata"] }): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}
export function nameOf({ metadata }: { readonly metadata: { readonly name?: string } }): string {
  return metadata.name ?? "";
}
