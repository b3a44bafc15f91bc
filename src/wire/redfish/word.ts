/** The words for power, boot and health that resources are translated from and into; those of `decide/power.ts`, which is above. */
export type PowerState = "on" | "off";
export type PowerAction = "on" | "off" | "soft-off" | "cycle" | "reset";
export type BootDevice = "pxe" | "http" | "disk" | "cd";
export type Health = "ok" | "warning" | "critical" | "unknown";

export interface BootOnce {
  readonly device: BootDevice;
  readonly firmware: "uefi" | "bios";
  readonly url?: string;
}

export interface Reading {
  readonly name: string;
  readonly health: Health;
  readonly value?: number;
  /** `°C`, `V`, `RPM`, `W`, `A`, `%` */
  readonly unit?: string;
  readonly text?: string;
}
