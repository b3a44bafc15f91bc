/**
 * The management controller of a simulated machine, behind whatever protocol: what it can do to the machine, what it says of it, and how it misbehaves.
 * The protocols around it are `ipmi/`, `redfish/` and `http-power/`.
 */
import type { BootOnce, PowerAction, PowerState, Sensor } from "#decide/power.ts";
import type { SimMachine } from "../machine/machine.ts";

/** How it misbehaves at the moment; nothing of it does it know itself. */
export interface BoardFaults {
  /** Nothing is answered any more. */
  hangs: boolean;
  /** What it says of the power, whatever is the case. */
  lies: PowerState | undefined;
  /** It takes a boot-once, shows it, and does not pass it on. */
  forgetsBootOnce: boolean;
  /** It takes power commands and does not carry them out. */
  isDeaf: boolean;
  /** All its sessions are taken. */
  isFull: boolean;
  /** Milliseconds until it answers. */
  late: number;
}

export interface BoardOptions {
  readonly machine: SimMachine;
  readonly address: string;
  readonly user: string;
  readonly password: string;
  /** Called before anything is done to the machine. */
  readonly onAction: (what: string) => void;
}

export function noFaults(): BoardFaults {
  return { hangs: false, lies: undefined, forgetsBootOnce: false, isDeaf: false, isFull: false, late: 0 };
}

/** Also the `RedfishMachine` of `redfish/machine.ts`. */
export class Board {
  readonly machine: SimMachine;
  readonly address: string;
  readonly user: string;
  readonly password: string;
  readonly uuid: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly firmwareVersion = "1.0.3";
  readonly macs: readonly string[];
  readonly faults = noFaults();
  readonly #onAction: (what: string) => void;
  /** A boot-once that was forgotten is shown until the machine has started. */
  #shown: { readonly boot: BootOnce; readonly starts: number } | undefined;
  #light = false;
  #media: string | undefined;

  constructor({ machine, address, user, password, onAction }: BoardOptions) {
    const { uuid, serial, mac, model } = machine.identity;
    this.machine = machine;
    this.address = address;
    this.user = user;
    this.password = password;
    this.uuid = uuid;
    this.manufacturer = model.manufacturer;
    this.model = model.product;
    this.serial = serial;
    this.macs = [mac];
    this.#onAction = onAction;
  }

  power(): PowerState {
    return this.faults.lies ?? this.machine.power;
  }

  command(action: PowerAction): void {
    this.#onAction(`power ${action}`);
    if (this.faults.isDeaf) return;
    switch (action) {
      case "on":
        return this.machine.switchOn();
      case "off":
        return this.machine.switchOff();
      case "cycle":
        return this.machine.power === "on" ? this.machine.cycle() : this.machine.switchOn();
      case "reset":
        return this.machine.reset();
      case "soft-off":
        return this.machine.power === "on" ? this.machine.pressButton() : undefined;
    }
  }

  bootOnce(): BootOnce | undefined {
    if (this.#shown !== undefined && this.#shown.starts === this.machine.starts) return this.#shown.boot;
    return this.machine.bootOnce;
  }

  /** Somebody says where to boot from. */
  note(boot: BootOnce | undefined): void {
    this.#onAction(
      boot === undefined ? "boot as always" : `boot once from ${boot.device}${boot.url === undefined ? "" : ` ${boot.url}`}`,
    );
  }

  setBootOnce(boot: BootOnce | undefined): void {
    this.note(boot);
    this.#shown = undefined;
    if (this.faults.forgetsBootOnce && boot !== undefined) this.#shown = { boot, starts: this.machine.starts };
    else this.machine.bootOnce = boot;
  }

  setPxeOnce(): void {
    this.setBootOnce({ device: "pxe", firmware: this.machine.identity.model.firmware });
  }

  light(): boolean {
    return this.#light;
  }

  setLight(on: boolean): void {
    this.#light = on;
  }

  media(): string | undefined {
    return this.#media;
  }

  setMedia(image: string | undefined): void {
    this.#media = image;
  }

  sensors(): readonly Sensor[] {
    const isOn = this.machine.power === "on";
    return [
      { name: "Inlet Temp", health: "ok", value: 23, unit: "°C" },
      { name: "Fan 1", health: "ok", value: isOn ? 5400 : 0, unit: "RPM" },
      { name: "Power", health: "ok", value: isOn ? 210 : 12, unit: "W" },
    ];
  }
}
