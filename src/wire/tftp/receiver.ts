/** The client's end of a transfer, as simulated firmware has it. */
import type { Duration } from "#std/duration.ts";
import { BLOCK_MODULUS, DEFAULT_BLOCK_SIZE, ERROR, MIN_BLOCK_SIZE } from "./constants.ts";
import { encode } from "./encode.ts";
import { Patience } from "./machine.ts";
import type { State, Turn } from "./machine.ts";
import { wish } from "./option.ts";
import type { Options, Packet } from "./packet.ts";

export interface Wishes {
  readonly blockSize?: number;
  readonly windowSize?: number;
  /** In seconds. */
  readonly timeout?: number;
  /** Ask for the size of the file. */
  readonly size?: boolean;
}

export interface ReceiverTurn extends Turn {
  /** What came of the file with this event, in order. */
  readonly received: readonly Uint8Array[];
}

const QUIET: readonly Uint8Array[] = [];

export class Receiver {
  readonly #file: string;
  readonly #asked: Options;
  readonly #patience: Patience;
  #state: State = { kind: "running" };
  /** Nothing has been heard yet: neither options nor data. */
  #requesting = true;
  #blockSize = DEFAULT_BLOCK_SIZE;
  #windowSize = 1;
  /** The size the server announced. */
  #size: number | undefined;
  /** Place of the last block of the unbroken beginning. */
  #received = 0;
  /** Place of the last block that the server was told of. */
  #acknowledged = 0;
  /** Whether the server was told of a gap since the last progress. */
  #complained = false;
  #wakeAt: number | undefined;

  constructor(file: string, wishes: Wishes = {}, firstWait?: Duration) {
    this.#file = file;
    const asked = new Map<string, string>();
    if (wishes.blockSize !== undefined) asked.set("blksize", String(wishes.blockSize));
    if (wishes.windowSize !== undefined) asked.set("windowsize", String(wishes.windowSize));
    if (wishes.timeout !== undefined) asked.set("timeout", String(wishes.timeout));
    if (wishes.size === true) asked.set("tsize", "0");
    this.#asked = asked;
    this.#patience = new Patience(firstWait);
  }

  /** In bytes; undefined until the server has said it, or if it does not. */
  get size(): number | undefined {
    return this.#size;
  }

  /** The request; to be called once. */
  start(now: number): ReceiverTurn {
    return this.#say(now);
  }

  /** A packet of the server. After the last block this still answers copies of it (RFC 1350 §6, "dallying"). */
  onPacket(packet: Packet, now: number): ReceiverTurn {
    if (this.#state.kind === "done" && packet.kind === "data") return this.#turn([this.#acknowledgement()]);
    if (this.#state.kind !== "running") return this.#turn();
    switch (packet.kind) {
      case "data":
        return this.#onData(packet.block, packet.data, now);
      case "option-acknowledgement":
        return this.#onOptions(packet.options, now);
      case "error":
        return this.#end({ kind: "failed", reason: "peer-error", code: packet.code, message: packet.message });
      case "read-request":
      case "write-request":
      case "acknowledgement":
        return this.#turn();
    }
  }

  onTime(now: number): ReceiverTurn {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return this.#turn();
    if (!this.#patience.repeat()) return this.#end({ kind: "failed", reason: "silence" });
    this.#complained = false;
    return this.#say(now);
  }

  /** RFC 2347: the server may lower a size, and may not bring up what was not asked for. */
  #onOptions(options: Options, now: number): ReceiverTurn {
    if (!this.#requesting) return this.#received === 0 ? this.#say(now) : this.#turn();
    for (const name of options.keys()) {
      if (!this.#asked.has(name)) return this.#refuse(ERROR.optionsRefused, `option ${name} was not asked for`);
    }
    const blockSize = options.has("blksize")
      ? wish(options, "blksize", MIN_BLOCK_SIZE, this.#wished("blksize"))
      : DEFAULT_BLOCK_SIZE;
    const windowSize = options.has("windowsize") ? wish(options, "windowsize", 1, this.#wished("windowsize")) : 1;
    if (blockSize === undefined || windowSize === undefined) return this.#refuse(ERROR.optionsRefused, "a size was raised");
    this.#blockSize = blockSize;
    this.#windowSize = windowSize;
    this.#size = wish(options, "tsize", 0, Number.MAX_SAFE_INTEGER);
    this.#requesting = false;
    this.#patience.progress();
    return this.#say(now);
  }

  #wished(name: string): number {
    return Number(this.#asked.get(name));
  }

  #onData(block: number, data: Uint8Array, now: number): ReceiverTurn {
    if (block !== (this.#received + 1) % BLOCK_MODULUS) return this.#onStray(block, now);
    if (data.length > this.#blockSize) return this.#refuse(ERROR.illegalOperation, `a block of ${data.length} bytes`);
    this.#requesting = false;
    this.#received++;
    this.#complained = false;
    this.#patience.progress();
    this.#wakeAt = now + this.#patience.wait;
    if (data.length < this.#blockSize) {
      this.#end({ kind: "done" });
      return this.#turn([this.#acknowledgement()], [data]);
    }
    const isWindowFull = this.#received - this.#acknowledged === this.#windowSize;
    return this.#turn(isWindowFull ? [this.#acknowledgement()] : QUIET, [data]);
  }

  /**
   * A block before its turn shows that others are lost; a copy of the last block, that its acknowledgement may be. One block at a time every such
   * copy is answered, as the sender does not move by answers that come twice; of a window only the first stray block is.
   */
  #onStray(block: number, now: number): ReceiverTurn {
    if (this.#requesting || (this.#windowSize > 1 && this.#complained)) return this.#turn();
    const isCopy = block === this.#received % BLOCK_MODULUS && this.#received === this.#acknowledged;
    const lead = (block - (this.#received % BLOCK_MODULUS) + BLOCK_MODULUS) % BLOCK_MODULUS;
    if (!isCopy && (lead === 0 || lead > this.#windowSize)) return this.#turn();
    this.#complained = true;
    return this.#say(now);
  }

  /** The request, or how far the file has come. */
  #say(now: number): ReceiverTurn {
    this.#wakeAt = now + this.#patience.wait;
    if (!this.#requesting) return this.#turn([this.#acknowledgement()]);
    return this.#turn([encode({ kind: "read-request", file: this.#file, mode: "octet", options: this.#asked })]);
  }

  #acknowledgement(): Uint8Array {
    this.#acknowledged = this.#received;
    return encode({ kind: "acknowledgement", block: this.#received % BLOCK_MODULUS });
  }

  #refuse(code: number, message: string): ReceiverTurn {
    this.#end({ kind: "failed", reason: "broken", code, message });
    return this.#turn([encode({ kind: "error", code, message })]);
  }

  #end(state: State): ReceiverTurn {
    this.#state = state;
    this.#wakeAt = undefined;
    return this.#turn();
  }

  #turn(send: readonly Uint8Array[] = QUIET, received: readonly Uint8Array[] = QUIET): ReceiverTurn {
    return { send, wakeAt: this.#wakeAt, state: this.#state, received };
  }
}
