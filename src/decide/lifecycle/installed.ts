/** Whether a system is on the machine's disks, and whose. */
import type { Allocation, Binding, Machine } from "./machine.ts";

/** A condition that says the opposite is not that. */
export function isInstalled({ record }: Machine, binding: Binding): boolean {
  const condition = record.conditions?.find(({ type }) => type === "PXEBooted");
  const isOther = record.allocation !== undefined && isOtherHolder(record.allocation, binding);
  return binding.isInstalled || (!isOther && condition !== undefined && condition.status !== "False");
}

/** A binding made anew for the same MetalMachine (after a move) is the same holder. */
export function isOtherHolder(before: Allocation, binding: Binding): boolean {
  return (
    before.binding !== binding.uid && (before.metalMachine !== binding.metalMachine || before.namespace !== binding.namespace)
  );
}
