/** Who made a service. Some say so in the root, some only in their systems, some by the name of their extensions. */
import type { Controller } from "./controller.ts";
import type { Root } from "./root.ts";
import type { System } from "./system.ts";

export type Vendor = "Dell" | "HPE" | "Supermicro" | "Lenovo" | "AMI" | "OpenBMC" | "Sushy" | "other";

/** What quirks go by. */
export interface Identity {
  readonly vendor: Vendor;
  /** Model and firmware version of the controller. */
  readonly controller?: string | undefined;
  readonly firmware?: string | undefined;
}

const NAMES: readonly (readonly [Vendor, RegExp])[] = [
  ["Dell", /^dell|idrac/i],
  ["HPE", /^(?:hpe?|hewlett)\b|\bilo\b/i],
  ["Supermicro", /^super\s?micro|^smci?\b/i],
  ["Lenovo", /^lenovo|xclarity|\bxcc\d?\b/i],
  // Boards of other makers with AMI's firmware have their own names in the system, and AMI's in root and extensions.
  ["AMI", /^ami\b|^american megatrends|megarac/i],
  ["OpenBMC", /^openbmc|^open\s?bmc/i],
  ["Sushy", /^sushy emulator/i],
];

function named(name: string | undefined): Vendor | undefined {
  return name === undefined ? undefined : NAMES.find(([, pattern]) => pattern.test(name))?.[0];
}

/**
 * The root's own word first; then its extensions, of which AMI's say more than the maker of the board; then the system's maker. Lenovo's
 * and others' machines with AMI's firmware (`Oem.Ami`) are AMI's in how they behave.
 */
export function vendorOf(root: Root, system?: System, controller?: Controller): Vendor {
  const oem = root.oem.map(named);
  if (oem.includes("AMI")) return "AMI";
  const names = [named(root.vendor), named(root.product), ...oem, named(system?.manufacturer), named(controller?.manufacturer)];
  return names.find((name) => name !== undefined) ?? named(controller?.model) ?? "other";
}
