/** What a simulated Redfish service needs of the machine it belongs to, and who may ask. */
import type { BootOnce, PowerAction, PowerState, Sensor } from "#decide/power.ts";

export interface RedfishMachine {
  readonly uuid: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly firmwareVersion: string;
  readonly macs: readonly string[];
  readonly user: string;
  readonly password: string;
  power(): PowerState;
  /** Carried out at once, later, or not at all: that is the machine's. */
  command(action: PowerAction): void;
  /** What the next start is set to; undefined: as always. */
  bootOnce(): BootOnce | undefined;
  setBootOnce(boot: BootOnce | undefined): void;
  light(): boolean;
  setLight(on: boolean): void;
  /** URL of the image in the virtual drive. */
  media(): string | undefined;
  setMedia(image: string | undefined): void;
  sensors(): readonly Sensor[];
}
