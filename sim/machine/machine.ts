/** A machine: mains power, a power button, firmware that boots from where it is told, and what it boots. Its BMC acts on it from outside. */
import type { Clock } from "#io/clock.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { BootOnce, PowerState } from "#decide/power.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";
import type { Outcome } from "../firmware/ipxe.ts";
import { SimDisk } from "./disk.ts";
import { Life } from "./life.ts";
import type { Identity } from "./model.ts";
import type { Installation } from "../talos/body.ts";
import type { TalosWorld } from "../talos/world.ts";
import { runInstalled, runLinux } from "./linux.ts";
import type { Wires } from "./wires.ts";
import { Work } from "./work.ts";

export interface MachinePorts {
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly wires: Wires;
  /** Of every Talos that it could meet. */
  readonly talos: TalosWorld;
  /** What happens to it, as a line. */
  readonly tell: (what: string) => void;
}

/** What runs in it, as seen on its screen. */
export type Screen =
  | "dark"
  | "POST"
  | "network boot"
  | "no boot device"
  | "kernel"
  | "agent"
  | "environment"
  | "system"
  | "panic";

/** Milliseconds until firmware that found nothing to boot begins again. */
const AGAIN = 30_000;
/** Milliseconds between off and on of a power cycle. */
const CYCLE = 1_000;

export class SimMachine {
  readonly identity: Identity;
  readonly ports: MachinePorts;
  readonly disks: readonly SimDisk[];
  /** Firmware's own order; a boot-once comes before it. */
  bootOrder: readonly ("network" | "disk")[] = ["network", "disk"];
  bootOnce: BootOnce | undefined;
  /** What its BMC says of this start, with those that keep it themselves. */
  askBoard: () => BootOnce | undefined = () => undefined;
  /** Its BMC as its own system sees it (`/dev/ipmi0`), where there is one. */
  systemInterface: IpmiChannel | undefined;
  screen: Screen = "dark";
  /** Power-ons so far. */
  starts = 0;
  /** What takes its time in the machine itself: starting, shutting down, writing to disks. */
  readonly work: Work;
  #life: Life | undefined;

  constructor(identity: Identity, ports: MachinePorts) {
    this.identity = identity;
    this.ports = ports;
    this.work = new Work(ports.clock);
    this.disks = identity.model.disks.map((model) => new SimDisk(model, ports.entropy.below(2 ** 32)));
  }

  /** What it boots from disk; undefined: nothing. */
  get installed(): Installation | undefined {
    return this.disks.find(({ system }) => system !== undefined)?.system;
  }

  get power(): PowerState {
    return this.#life === undefined ? "off" : "on";
  }

  /** Disks on which something of before is still to be found; of a fast wipe only the ends are looked at. Removable ones are nobody's business. */
  dirtyDisks(mode: "fast" | "full"): readonly SimDisk[] {
    const end = 1024 * 1024;
    return this.disks.filter((disk) => {
      const { size, removable } = disk.model;
      if (removable === true) return false;
      return mode === "full" ? disk.hasOldContent() : disk.hasOldContent(0, end) || disk.hasOldContent(size - end, size);
    });
  }

  switchOn(): void {
    if (this.#life !== undefined) return;
    this.ports.tell("goes on");
    this.#begin();
  }

  /** As if the cord were pulled. */
  switchOff(): void {
    if (this.#life === undefined) return;
    this.ports.tell("goes off");
    this.#end();
  }

  reset(): void {
    if (this.#life === undefined) return;
    this.ports.tell("is reset");
    this.#end();
    this.#begin();
  }

  cycle(): void {
    this.switchOff();
    this.ports.clock.after(CYCLE, () => this.switchOn());
  }

  /** The power button: a system takes its time over it, firmware does not. */
  pressButton(): void {
    const life = this.#life;
    if (life === undefined) return this.switchOn();
    const isSystem = ["agent", "environment", "system"].includes(this.screen);
    life.after(isSystem ? this.identity.model.shutdown : 500, () => this.switchOff());
  }

  /** The kernel is gone and the power is on: nothing happens any more until somebody acts on it. */
  panic(): void {
    if (this.#life === undefined) return;
    this.ports.tell("hangs");
    this.#life.end();
    this.#life = new Life(this.ports.clock);
    this.screen = "panic";
  }

  #begin(): void {
    const life = new Life(this.ports.clock);
    this.#life = life;
    this.starts++;
    this.screen = "POST";
    void this.#run(life);
  }

  #end(): void {
    this.#life?.end();
    this.#life = undefined;
    this.work.stop();
    this.screen = "dark";
    this.ports.wires.lose();
  }

  async #run(life: Life): Promise<void> {
    const { model } = this.identity;
    // Firmware looks for it early: a BMC forgets what nobody has asked for within a minute (IPMI 2.0 §28.13).
    const once = this.bootOnce ?? this.askBoard();
    this.bootOnce = undefined;
    await this.work.during(life.sleep(model.post * (0.9 + this.ports.entropy.fraction() * 0.2)));
    const first = once === undefined ? [] : [once.device === "disk" ? ("disk" as const) : ("network" as const)];
    for (let order = [...first, ...this.bootOrder]; ; order = [...this.bootOrder]) {
      for (const device of order) await (device === "disk" ? this.#bootDisk(life) : this.#bootNetwork(life, once));
      this.screen = "no boot device";
      await life.sleep(AGAIN);
    }
  }

  /** Comes back when there is nothing to boot. */
  async #bootDisk(life: Life): Promise<void> {
    if (this.installed === undefined) return;
    this.screen = "kernel";
    await runInstalled(this, life, this.installed);
  }

  async #bootNetwork(life: Life, once: BootOnce | undefined): Promise<void> {
    this.screen = "network boot";
    const outcome = await this.ports.wires.boot(life, once, () => this.installed !== undefined);
    await this.#follow(outcome, life);
  }

  async #follow(outcome: Outcome, life: Life): Promise<void> {
    switch (outcome.does) {
      case "exit":
        return;
      case "sanboot":
        return await this.#bootDisk(life);
      case "reboot":
        return this.reset();
      case "poweroff":
        return this.switchOff();
      case "boot":
        this.screen = "kernel";
        return await runLinux(this, life, outcome);
    }
  }
}
