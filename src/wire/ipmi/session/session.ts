/** An open session: what goes around payloads on their way out, and what comes off on their way in. Either end has one. */
import { AUTHENTICATION, PAYLOAD } from "../constants.ts";
import { Fault } from "#std/fault.ts";
import { authenticate15, decode15, encode15 } from "./packet15.ts";
import type { Protection } from "./packet20.ts";
import type { Primitives } from "./primitives.ts";
import { after, Window } from "./window.ts";

export interface Payload {
  /** As in PAYLOAD. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface Session {
  /** The number that the BMC gave it. */
  readonly id: number;
  /** A datagram with the next number. */
  wrap(payload: Payload): Uint8Array;
  /** Undefined for what is not of this session, is forged, damaged, too old or a copy. */
  unwrap(datagram: Uint8Array): Payload | undefined;
}

export interface Session20Options {
  readonly id: number;
  /** What is on the packets to us, and on ours. */
  readonly own: number;
  readonly peer: number;
  readonly protection: Protection;
}

/** RMCP+ (IPMI 2.0 §6.12.12): both ends count from 1. */
export class Session20 implements Session {
  readonly id: number;
  readonly #own: number;
  readonly #peer: number;
  readonly #protection: Protection;
  readonly #window = new Window(0);
  #last = 0;

  constructor({ id, own, peer, protection }: Session20Options) {
    this.id = id;
    this.#own = own;
    this.#peer = peer;
    this.#protection = protection;
  }

  wrap({ type, bytes }: Payload): Uint8Array {
    this.#last = after(this.#last);
    return this.#protection.seal({ type, session: this.#peer, sequence: this.#last, payload: bytes });
  }

  unwrap(datagram: Uint8Array): Payload | undefined {
    const packet = tolerant(() => this.#protection.open(datagram));
    if (packet === undefined || packet.session !== this.#own || !this.#window.accept(packet.sequence)) return undefined;
    return { type: packet.type, bytes: packet.payload };
  }
}

export interface Session15Options {
  readonly id: number;
  /** As in AUTHENTICATION. */
  readonly type: number;
  /** Sixteen bytes. */
  readonly password: Uint8Array;
  /** The first numbers of ours and of theirs (§6.12.11). */
  readonly next: number;
  readonly first: number;
  readonly primitives: Primitives;
}

/** IPMI 1.5: the ends count from where the other one wants. */
export class Session15 implements Session {
  readonly id: number;
  readonly #type: number;
  readonly #password: Uint8Array;
  readonly #primitives: Primitives;
  readonly #window: Window;
  #next: number;

  constructor({ id, type, password, next, first, primitives }: Session15Options) {
    this.id = id;
    this.#type = type;
    this.#password = password;
    this.#primitives = primitives;
    this.#next = next;
    this.#window = new Window((first - 1) >>> 0);
  }

  wrap({ bytes }: Payload): Uint8Array {
    const packet = { type: this.#type, sequence: this.#next, session: this.id, payload: bytes };
    this.#next = after(this.#next);
    return encode15({ ...packet, code: authenticate15(this.#primitives, this.#password, packet) });
  }

  unwrap(datagram: Uint8Array): Payload | undefined {
    const packet = tolerant(() => decode15(datagram));
    if (packet === undefined || packet.session !== this.id || packet.type !== this.#type) return undefined;
    const isGenuine =
      packet.type === AUTHENTICATION.none ||
      this.#primitives.isEqual(packet.code, authenticate15(this.#primitives, this.#password, packet));
    if (!isGenuine || !this.#window.accept(packet.sequence)) return undefined;
    return { type: PAYLOAD.ipmi, bytes: packet.payload };
  }
}

/** Anybody can send anything to a port: what cannot be read is not there. */
export function tolerant<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (Fault.is(error) && error.fault === "peer") return undefined;
    throw error;
  }
}
