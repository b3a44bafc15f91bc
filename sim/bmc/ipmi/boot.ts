/** Boot options that a simulated BMC keeps (IPMI 2.0 §28.13), with the firmware's view of them. */
import type { Clock } from "#io/clock.ts";
import type { Duration } from "#std/duration.ts";
import { BOOT_PARAMETER, BOOT_SELECTOR, decodeBootFlags, KEEP_VALID } from "#wire/ipmi/chassis/boot.ts";
import type { BootFlags } from "#wire/ipmi/chassis/boot.ts";

/** §28.13, parameter 3: flags that nobody acted on are gone after that. */
const VALID: Duration = 60_000;
const NO_FLAGS: readonly number[] = [0, 0, 0, 0, 0];
const LAST_PARAMETER = 7;

export class BootOptions {
  readonly #clock: Clock;
  #flags: readonly number[] = NO_FLAGS;
  #setAt = 0;
  #inProgress = 0;
  #clearing = 0;
  #acknowledged: readonly number[] = [0, 0];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: no such parameter. */
  read(parameter: number): readonly number[] | undefined {
    this.#expire();
    switch (parameter) {
      case BOOT_PARAMETER.setInProgress:
        return [this.#inProgress];
      case BOOT_PARAMETER.validClearing:
        return [this.#clearing];
      case BOOT_PARAMETER.acknowledge:
        return this.#acknowledged;
      case BOOT_PARAMETER.flags:
        return this.#flags;
      default:
        return parameter <= LAST_PARAMETER ? [0] : undefined;
    }
  }

  /** False: no such parameter. `busy`: somebody else is at it. */
  write(parameter: number, data: readonly number[]): boolean | "busy" {
    switch (parameter) {
      case BOOT_PARAMETER.setInProgress:
        if (data[0] === 1 && this.#inProgress === 1) return "busy";
        // "Commit" ends it as well.
        this.#inProgress = data[0] === 1 ? 1 : 0;
        return true;
      case BOOT_PARAMETER.validClearing:
        this.#clearing = data[0] ?? 0;
        return true;
      case BOOT_PARAMETER.acknowledge:
        this.#acknowledged = [data[0] ?? 0, data[1] ?? 0];
        return true;
      case BOOT_PARAMETER.flags:
        this.#flags = [...data.slice(0, 5), ...NO_FLAGS].slice(0, 5);
        this.#setAt = this.#clock.monotonic();
        return true;
      default:
        return false;
    }
  }

  /** The chassis was told something: the minute is over without harm. */
  keep(): void {
    this.#expire();
    this.#setAt = Number.POSITIVE_INFINITY;
  }

  forget(): void {
    this.#flags = NO_FLAGS;
  }

  /** What the machine's firmware is to start from; undefined: as it is set up. What is for one start only is gone then. */
  take(): BootFlags | undefined {
    this.#expire();
    const flags = decodeBootFlags(Uint8Array.from(this.#flags));
    if (!flags.isValid || flags.device === BOOT_SELECTOR.none) return undefined;
    if (!flags.persistent) this.forget();
    this.#acknowledged = [1, 0];
    return flags;
  }

  #expire(): void {
    const isKept = (this.#clearing & KEEP_VALID.minute) !== 0;
    if (!isKept && this.#clock.monotonic() - this.#setAt > VALID) this.#flags = [this.#flags[0]! & 0x7f, ...this.#flags.slice(1)];
  }
}
