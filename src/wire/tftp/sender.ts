/**
 * The server's end of a transfer, without socket and clock. It keeps a few numbers per transfer and no packets: what has to be
 * repeated is read again. The states are drawn in README.md.
 */
import type { Duration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import { BLOCK_MODULUS, ERROR } from "./constants.ts";
import { encode } from "./encode.ts";
import { FIRST_WAIT, Patience } from "./machine.ts";
import type { State, Turn } from "./machine.ts";
import { LIMITS, negotiate } from "./option.ts";
import type { Limits, Terms } from "./option.ts";
import type { ErrorPacket, Packet, Request } from "./packet.ts";

/** A file that does not change while it is sent. */
export interface File {
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; never asked past the end. They are copied before the next call. */
  read(offset: number, length: number): Uint8Array;
}

/** Why a request is not served whatever file it names, as the ERROR to send; undefined when it may be served. */
export function refusalOf(request: Request): ErrorPacket | undefined {
  if (request.kind === "write-request") {
    return { kind: "error", code: ERROR.accessViolation, message: "files are only read here" };
  }
  if (request.mode === "octet") return undefined;
  // Boot files are binary: a netascii client would turn them into something else without a word.
  return {
    kind: "error",
    code: ERROR.notDefined,
    message: `mode "${printable(request.mode)}" is not served, ask for octet (binary)`,
  };
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?").slice(0, 40);
}

/** How long a window that seems lost may still be acknowledged: well over a round trip in a machine room. */
const LOSS_WAIT: Duration = 100;

/** Over all blocks of a transfer: for the record of what a machine did. */
export interface Progress {
  /** Bytes that the client acknowledged. */
  readonly bytes: number;
  readonly blockSize: number;
  readonly windowSize: number;
  /** How often a wait was over and something was sent again. */
  readonly repetitions: number;
}

export class Sender {
  readonly #request: Request;
  readonly #file: File;
  readonly #terms: Terms;
  readonly #patience: Patience;
  readonly #lastBlock: number;
  #state: State = { kind: "running" };
  /** The options are granted, but the client has not said yet that it knows. */
  #negotiating: boolean;
  /** Places of blocks in the file, from 1, not wrapped. All up to the first are with the client, all up to the second are sent. */
  #acknowledged = 0;
  #sent = 0;
  #heardAt = 0;
  #wakeAt: number | undefined;

  /** For a read request that {@link refusalOf} has nothing against. */
  constructor(request: Request, file: File, limits: Limits = LIMITS) {
    this.#request = request;
    this.#file = file;
    this.#terms = negotiate(request.options, file.size, limits);
    this.#patience = new Patience(this.#terms.timeout);
    // A file of whole blocks ends with an empty one (RFC 1350 §6).
    this.#lastBlock = Math.floor(file.size / this.#terms.blockSize) + 1;
    this.#negotiating = this.#terms.granted.size > 0;
  }

  get progress(): Progress {
    const { blockSize, windowSize } = this.#terms;
    const bytes = Math.min(this.#acknowledged * blockSize, this.#file.size);
    return { bytes, blockSize, windowSize, repetitions: this.#patience.total };
  }

  /** The first answer; to be called once. */
  start(now: number): Turn {
    this.#heardAt = now;
    return this.#transmit(now);
  }

  /** A packet of this transfer's client. Whatever makes no sense here changes nothing. */
  onPacket(packet: Packet, now: number): Turn {
    if (this.#state.kind !== "running") return this.#turn();
    switch (packet.kind) {
      case "acknowledgement":
        return this.#onAcknowledgement(packet.block, now);
      case "error":
        return this.#end(
          this.#negotiating
            ? { kind: "declined", code: packet.code, message: packet.message }
            : { kind: "failed", reason: "peer-error", code: packet.code, message: packet.message },
        );
      case "read-request":
        return this.#onRequest(packet, now);
      case "write-request":
      case "data":
      case "option-acknowledgement":
        return this.#turn();
    }
  }

  /** The time of the last turn's `wakeAt` has come. */
  onTime(now: number): Turn {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return this.#turn();
    if (!this.#patience.repeat()) return this.#end({ kind: "failed", reason: "silence" });
    return this.#transmit(now);
  }

  #onAcknowledgement(block: number, now: number): Turn {
    if (this.#negotiating) {
      if (block !== 0) return this.#turn();
      this.#negotiating = false;
      return this.#advance(0, now);
    }
    const distance = (block - (this.#acknowledged % BLOCK_MODULUS) + BLOCK_MODULUS) % BLOCK_MODULUS;
    if (distance > this.#sent - this.#acknowledged) return this.#turn();
    if (distance === 0) return this.#onRepeatedAcknowledgement(now);
    return this.#advance(distance, now);
  }

  /**
   * One block at a time, an acknowledgement that comes twice must not make a block go out twice, or every later one does too: the
   * sorcerer's apprentice (RFC 1123 §4.2.3.1). With windows it is also how a client says that the window's first block is lost (RFC 7440
   * §4). Sending the window again at once would raise the apprentice for whole windows, so only the wait gets short: an
   * acknowledgement that was doubled on its way is followed by progress before it is over.
   */
  #onRepeatedAcknowledgement(now: number): Turn {
    if (this.#terms.windowSize > 1 && this.#wakeAt !== undefined) this.#wakeAt = Math.min(this.#wakeAt, now + LOSS_WAIT);
    return this.#turn();
  }

  /** RFC 7440 §4: after a block in the middle of a window the next window starts right behind it. */
  #advance(blocks: number, now: number): Turn {
    this.#acknowledged += blocks;
    this.#heardAt = now;
    this.#patience.progress();
    return this.#acknowledged === this.#lastBlock ? this.#end({ kind: "done" }) : this.#transmit(now);
  }

  /**
   * The first answer was lost, or the network doubled the request, or the client starts again from the same port: told apart by what is
   * asked and by how long the client has been quiet.
   */
  #onRequest(request: Request, now: number): Turn {
    if (!isSame(request, this.#request)) return this.#end({ kind: "superseded" });
    if (this.#negotiating || this.#acknowledged === 0) return this.#transmit(now);
    return now - this.#heardAt < FIRST_WAIT ? this.#turn() : this.#end({ kind: "superseded" });
  }

  /** Everything that is not acknowledged, as far as the window goes. */
  #transmit(now: number): Turn {
    this.#wakeAt = now + this.#patience.wait;
    if (this.#negotiating) return this.#turn([encode({ kind: "option-acknowledgement", options: this.#terms.granted })]);
    this.#sent = Math.min(this.#acknowledged + this.#terms.windowSize, this.#lastBlock);
    const send: Uint8Array[] = [];
    for (let place = this.#acknowledged + 1; place <= this.#sent; place++) send.push(this.#block(place));
    return this.#turn(send);
  }

  #block(place: number): Uint8Array {
    const offset = (place - 1) * this.#terms.blockSize;
    const length = Math.min(this.#terms.blockSize, this.#file.size - offset);
    const data = this.#file.read(offset, length);
    if (data.length !== length) {
      const message = `a file gave ${data.length} bytes at ${offset} instead of ${length}`;
      throw new Fault("tftp.file", message, { fault: "ours", retry: "never", facts: { offset } });
    }
    return encode({ kind: "data", block: place % BLOCK_MODULUS, data });
  }

  #end(state: State): Turn {
    this.#state = state;
    this.#wakeAt = undefined;
    return this.#turn();
  }

  #turn(send: readonly Uint8Array[] = []): Turn {
    return { send, wakeAt: this.#wakeAt, state: this.#state };
  }
}

function isSame(a: Request, b: Request): boolean {
  if (a.kind !== b.kind || a.file !== b.file || a.mode !== b.mode || a.options.size !== b.options.size) return false;
  return [...a.options].every(([name, value]) => b.options.get(name) === value);
}
