/** What goes wrong in a data centre: BMCs, the network, machines, disks, and Sidero's own process. Each begins when the dice say so and passes. */
import type { Clock } from "#io/clock.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { Board } from "../bmc/board.ts";
import { TRAVEL } from "../hall.ts";
import type { Hall } from "../hall.ts";
import type { ApiTrouble } from "./api-faults.ts";

export interface MischiefOptions {
  readonly hall: Hall;
  readonly entropy: SeededEntropy;
  readonly clock: Clock;
  readonly api: ApiTrouble;
  readonly boards: readonly Board[];
  readonly tell: (what: string) => void;
}

const MINUTE = 60_000;

export class Mischief {
  readonly #options: MischiefOptions;
  /** What takes back what is wrong now. */
  readonly #wrong = new Set<() => void>();

  constructor(options: MischiefOptions) {
    this.#options = options;
  }

  /** One thing goes wrong, somewhere, for a while. */
  strike(): void {
    const { entropy } = this.#options;
    const all = [
      [8, () => this.#bmc()],
      [3, () => this.#machine()],
      [2, () => this.#process()],
      [2, () => this.#leader()],
      [3, () => this.#network()],
      [3, () => this.#api()],
      [2, () => this.#disk()],
    ] as const;
    let dice = entropy.fraction() * all.reduce((sum, [weight]) => sum + weight, 0);
    all.find(([weight]) => (dice -= weight) < 0)?.[1]();
  }

  /** Everything works again. */
  end(): void {
    for (const mend of this.#wrong) mend();
    this.#wrong.clear();
  }

  #while(minutes: number, mend: () => void): void {
    const { clock, entropy } = this.#options;
    const once = (): void => {
      if (this.#wrong.delete(once)) mend();
    };
    this.#wrong.add(once);
    clock.after((0.2 + entropy.fraction()) * minutes * MINUTE, once);
  }

  #bmc(): void {
    const { boards, entropy, tell } = this.#options;
    if (boards.length === 0) return;
    const { faults, serial, machine } = boards[entropy.below(boards.length)]!;
    const ways: readonly (() => string)[] = [
      () => ((faults.hangs = true), "hangs"),
      () => ((faults.lies = machine.power === "on" ? "off" : "on"), "lies about power"),
      () => ((faults.forgetsBootOnce = true), "forgets where to boot from"),
      () => ((faults.isDeaf = true), "does not do what it is told"),
      () => ((faults.isFull = true), "has no session left"),
      () => ((faults.late = 500 + entropy.below(20_000)), "answers late"),
    ];
    tell(`the BMC of ${serial} ${ways[entropy.below(ways.length)]!()}`);
    this.#while(10, () => {
      Object.assign(faults, { hangs: false, lies: undefined, forgetsBootOnce: false, isDeaf: false, isFull: false, late: 0 });
      tell(`the BMC of ${serial} is well again`);
    });
  }

  #machine(): void {
    const { hall, entropy } = this.#options;
    const machine = hall.machines[entropy.below(hall.machines.length)]!;
    if (entropy.chance(0.5)) machine.panic();
    else machine.reset();
  }

  #process(): void {
    const { hall, clock, entropy } = this.#options;
    if (hall.process === undefined) return;
    hall.crash();
    clock.after(500 + entropy.below(MINUTE), () => void hall.start());
  }

  /** Somebody else leads for a while. */
  #leader(): void {
    const { hall, tell } = this.#options;
    tell("somebody else takes the lease");
    void hall.stealLease().catch(() => undefined);
  }

  #network(): void {
    const { hall, entropy, tell } = this.#options;
    const loss = entropy.fraction() * 0.3;
    tell(`the network loses ${Math.round(loss * 100)} % and doubles and overtakes`);
    hall.setNetwork({ loss, duplication: 0.1, delay: 200 });
    this.#while(3, () => {
      tell("the network is well again");
      hall.setNetwork({ loss: 0, duplication: 0, delay: TRAVEL });
    });
  }

  #api(): void {
    const { api, entropy, tell } = this.#options;
    const ways: readonly (() => string)[] = [
      () => ((api.refuse = 0.3), "refuses requests"),
      () => ((api.lose = 0.2), "loses answers"),
      () => ((api.conflict = 0.4), "is busy with others"),
      () => ((api.endWatch = 0.05), "ends watches"),
      () => ((api.crash = 0.03), "kills its process"),
    ];
    tell(`the API ${ways[entropy.below(ways.length)]!()}`);
    this.#while(2, () => {
      Object.assign(api, { refuse: 0, lose: 0, conflict: 0, endWatch: 0, crash: 0 });
      tell("the API is well again");
    });
  }

  #disk(): void {
    const { hall, entropy, tell } = this.#options;
    const machine = hall.machines[entropy.below(hall.machines.length)]!;
    const disk = machine.disks[entropy.below(machine.disks.length)]!;
    tell(`${disk.name} of ${machine.identity.serial} fails`);
    disk.fails = true;
    this.#while(15, () => {
      disk.fails = false;
      tell(`${disk.name} of ${machine.identity.serial} is replaced by one that works`);
    });
  }
}
