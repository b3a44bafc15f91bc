/** A machine for the simulated service: it does at once what it is told, and remembers it. */
import type { BootOnce, PowerAction } from "#decide/power.ts";
import type { RedfishMachine } from "../../../sim/bmc/redfish/machine.ts";

export class Machine implements RedfishMachine {
  readonly uuid = "0b0e7e3c-6f5c-4f0e-8a33-8f4f6f1d2c3b";
  readonly manufacturer = "Sidero";
  readonly model = "Simulated";
  readonly serial = "SIM-0001";
  readonly firmwareVersion = "1.0";
  readonly macs = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
  readonly user = "admin";
  readonly password = "secret";
  isOn = false;
  once: BootOnce | undefined;
  isLit = false;
  image: string | undefined;
  power = (): "on" | "off" => (this.isOn ? "on" : "off");
  command(action: PowerAction): void {
    this.isOn = action !== "off" && action !== "soft-off";
  }
  bootOnce = (): BootOnce | undefined => this.once;
  setBootOnce = (boot: BootOnce | undefined): void => void (this.once = boot);
  light = (): boolean => this.isLit;
  setLight = (on: boolean): void => void (this.isLit = on);
  media = (): string | undefined => this.image;
  setMedia = (image: string | undefined): void => void (this.image = image);
  sensors = () =>
    [
      { name: "CPU", value: 41, unit: "°C", health: "ok" },
      { name: "Fan 1", value: 4200, unit: "RPM", health: "warning" },
    ] as const;
}
