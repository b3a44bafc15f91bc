/** A simulated machine's serial line as the payload of a session (IPMI 2.0 §15). */
import type { Clock, Timer } from "#io/clock.ts";
import type { Duration } from "#std/duration.ts";
import { SolMachine } from "#wire/ipmi/sol/machine.ts";
import type { SolTurn } from "#wire/ipmi/sol/machine.ts";
import { encodeSol, STATUS } from "#wire/ipmi/sol/packet.ts";
import type { SerialLine } from "./options.ts";

export const SOL_SIZE = 200;
/** Characters are gathered for that long, so that they do not go one by one. */
const ACCUMULATE: Duration = 10;
/** What the machine prints faster than it can be told is lost. */
const LONGEST_QUEUE = 64 * 1024;

export class SolBridge {
  readonly #clock: Clock;
  readonly #line: SerialLine;
  readonly #send: (payload: Uint8Array) => void;
  readonly #machine = new SolMachine({ end: "bmc", size: SOL_SIZE });
  readonly #stop: () => void;
  #gathered: Uint8Array[] = [];
  #gathering: Timer | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, line: SerialLine, send: (payload: Uint8Array) => void) {
    this.#clock = clock;
    this.#line = line;
    this.#send = send;
    this.#stop = line.listen((bytes) => this.#gather(bytes));
  }

  onPayload(payload: Uint8Array): void {
    this.#follow(this.#machine.onPayload(payload, this.#clock.monotonic()));
  }

  /** `announce`: the client is told that this is the end. */
  end(announce = false): void {
    this.#stop();
    this.#timer?.cancel();
    this.#gathering?.cancel();
    if (announce)
      this.#send(encodeSol({ sequence: 0, acknowledges: 0, accepted: 0, flags: STATUS.deactivating, data: new Uint8Array() }));
  }

  #gather(bytes: Uint8Array): void {
    if (this.#machine.unsent > LONGEST_QUEUE) return;
    this.#gathered.push(bytes.slice());
    this.#gathering ??= this.#clock.after(ACCUMULATE, () => {
      this.#gathering = undefined;
      const all = this.#gathered;
      this.#gathered = [];
      for (const part of all) this.#follow(this.#machine.write(part, this.#clock.monotonic()));
    });
  }

  #follow({ send, received, isBreak, wakeAt }: SolTurn): void {
    for (const payload of send) this.#send(payload);
    if (received.length > 0) this.#line.write(received);
    if (isBreak) this.#line.break?.();
    this.#timer?.cancel();
    const wait = wakeAt === undefined ? undefined : Math.max(0, wakeAt - this.#clock.monotonic());
    this.#timer =
      wait === undefined ? undefined : this.#clock.after(wait, () => this.#follow(this.#machine.onTime(this.#clock.monotonic())));
  }
}
