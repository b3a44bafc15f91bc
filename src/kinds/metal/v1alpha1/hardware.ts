/** The little that v1alpha1 knew of a machine, and where v1alpha2 keeps it. */
import { present } from "#schema/conversion.ts";
import type { TypeOf } from "#schema/kit.ts";
import { object, string } from "#schema/kit.ts";
import type { HardwareInformation } from "../v1alpha2/hardware.ts";
import { SystemInformation as Hub } from "../v1alpha2/hardware.ts";

const { uuid: _uuid, ...systemFields } = Hub.fields;

export const SystemInformation = object(systemFields);
export type SystemInformation = TypeOf<typeof SystemInformation>;

export const CpuInformation = object({
  manufacturer: string().doc("Who made the processor."),
  version: string().doc("Model of the processor."),
});
export type CpuInformation = TypeOf<typeof CpuInformation>;

export function hardwareOf(system: SystemInformation | undefined, cpu: CpuInformation | undefined): HardwareInformation {
  const processor = cpu && present({ manufacturer: cpu.manufacturer, productName: cpu.version });
  return present({ system, compute: processor && { processors: [processor] } });
}

export function systemOf({ system }: HardwareInformation): SystemInformation | undefined {
  if (system === undefined) return undefined;
  const { uuid: _dropped, ...rest } = system;
  return rest;
}

/** The first processor stands for all. */
export function cpuOf({ compute }: HardwareInformation): CpuInformation | undefined {
  const first = compute?.processors?.[0];
  return first && present({ manufacturer: first.manufacturer, version: first.productName });
}
