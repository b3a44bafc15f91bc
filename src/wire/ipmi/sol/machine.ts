/** One end of a serial console (IPMI 2.0 §15.11): characters go one packet at a time, and again until they are acknowledged. */
import { concat } from "#std/bytes.ts";
import type { Duration } from "#std/duration.ts";
import { tolerant } from "../session/session.ts";
import { decodeSol, encodeSol, OPERATION, SOL_HEADER, STATUS } from "./packet.ts";
import type { SolPacket } from "./packet.ts";

/** The answer to an event. Times are milliseconds of the clock whose `now` the caller hands in. */
export interface SolTurn {
  /** Payloads for the other side, in order. */
  readonly send: readonly Uint8Array[];
  /** Characters that came. */
  readonly received: Uint8Array;
  /** The other side heard a break. */
  readonly isBreak: boolean;
  /** When to call `onTime`, unless something else happens first. */
  readonly wakeAt: number | undefined;
  /** `open` until the other side ended it or does not answer any more. */
  readonly state: "open" | "ended" | "silent";
}

export interface SolOptions {
  readonly end: "remote" | "bmc";
  /** The most bytes of a payload, header included. */
  readonly size: number;
  /** After that long without an acknowledgement a packet goes again. */
  readonly wait?: Duration;
  /** So often. */
  readonly repetitions?: number;
}

const WAIT: Duration = 1000;
const REPETITIONS = 7;
const LAST_SEQUENCE = 15;
const NONE = new Uint8Array();

interface Outstanding {
  readonly packet: SolPacket;
  attempts: number;
}

export class SolMachine {
  readonly #options: Required<SolOptions>;
  #waiting: Uint8Array = NONE;
  #isBreakWanted = false;
  #outstanding: Outstanding | undefined;
  #sequence = 0;
  /** Of the last packet with characters that came, and how many of them were taken. */
  #heard = { sequence: 0, accepted: 0 };
  #wakeAt: number | undefined;
  #state: SolTurn["state"] = "open";

  constructor(options: SolOptions) {
    this.#options = { wait: WAIT, repetitions: REPETITIONS, ...options };
  }

  /** How many characters have not been acknowledged. */
  get unsent(): number {
    return this.#waiting.length + (this.#outstanding?.packet.data.length ?? 0);
  }

  write(characters: Uint8Array, now: number): SolTurn {
    this.#waiting = concat([this.#waiting, characters]);
    return this.#turn(this.#next(now));
  }

  /** To the BMC: the line is to be held low for a moment. */
  break(now: number): SolTurn {
    this.#isBreakWanted = true;
    return this.#turn(this.#next(now));
  }

  onPayload(payload: Uint8Array, now: number): SolTurn {
    const packet = tolerant(() => decodeSol(payload));
    if (packet === undefined || this.#state !== "open") return this.#turn([]);
    const send: Uint8Array[] = [];
    if (packet.acknowledges !== 0) this.#acknowledge(packet, now);
    const isFromBmc = this.#options.end === "remote";
    const isBreak = (packet.flags & (isFromBmc ? STATUS.break : OPERATION.break)) !== 0 && this.#isNew(packet);
    const received = packet.sequence === 0 ? NONE : this.#take(packet, send);
    if (isFromBmc && (packet.flags & STATUS.deactivating) !== 0) {
      this.#state = "ended";
      this.#wakeAt = undefined;
    }
    return this.#turn([...send, ...this.#next(now)], received, isBreak);
  }

  onTime(now: number): SolTurn {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return this.#turn([]);
    this.#wakeAt = undefined;
    const outstanding = this.#outstanding;
    if (outstanding === undefined) return this.#turn(this.#next(now));
    if (outstanding.attempts > this.#options.repetitions) {
      this.#state = "silent";
      return this.#turn([]);
    }
    outstanding.attempts++;
    this.#wakeAt = now + this.#options.wait;
    return this.#turn([encodeSol(outstanding.packet)]);
  }

  #isNew({ sequence }: SolPacket): boolean {
    return sequence === 0 || sequence !== this.#heard.sequence;
  }

  /** What of it is new; the acknowledgement goes to `send`. A packet that comes again may have grown (§15.11). */
  #take(packet: SolPacket, send: Uint8Array[]): Uint8Array {
    const known = this.#isNew(packet) ? 0 : this.#heard.accepted;
    const accepted = Math.max(known, packet.data.length);
    this.#heard = { sequence: packet.sequence, accepted };
    send.push(encodeSol({ sequence: 0, acknowledges: packet.sequence, accepted, flags: 0, data: NONE }));
    return packet.data.subarray(known);
  }

  #acknowledge({ acknowledges, accepted, flags }: SolPacket, now: number): void {
    const outstanding = this.#outstanding;
    if (outstanding?.packet.sequence !== acknowledges) return;
    // Not taken, or only in part: what is left waits, so as not to be said over and over.
    const taken = Math.min(accepted, outstanding.packet.data.length);
    const isRefused = (flags & STATUS.nack) !== 0;
    this.#waiting = concat([outstanding.packet.data.subarray(taken), this.#waiting]);
    this.#outstanding = undefined;
    this.#wakeAt = isRefused && taken === 0 ? now + this.#options.wait : undefined;
  }

  /** The next packet, when one may go. */
  #next(now: number): Uint8Array[] {
    if (this.#state !== "open" || this.#outstanding !== undefined) return [];
    if (this.#wakeAt !== undefined && now < this.#wakeAt) return [];
    if (this.#waiting.length === 0 && !this.#isBreakWanted) return [];
    const data = this.#waiting.slice(0, Math.max(1, Math.min(this.#options.size, 0xff + SOL_HEADER) - SOL_HEADER));
    this.#waiting = this.#waiting.subarray(data.length);
    this.#sequence = (this.#sequence % LAST_SEQUENCE) + 1;
    const broken = this.#options.end === "remote" ? OPERATION.break : STATUS.break;
    const flags = this.#isBreakWanted ? broken : 0;
    this.#isBreakWanted = false;
    const packet = { sequence: this.#sequence, acknowledges: 0, accepted: 0, flags, data };
    this.#outstanding = { packet, attempts: 1 };
    this.#wakeAt = now + this.#options.wait;
    return [encodeSol(packet)];
  }

  #turn(send: readonly Uint8Array[], received: Uint8Array = NONE, isBreak = false): SolTurn {
    return { send, received, isBreak, wakeAt: this.#state === "open" ? this.#wakeAt : undefined, state: this.#state };
  }
}
