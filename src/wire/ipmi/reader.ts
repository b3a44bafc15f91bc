/** Reads what a BMC sent, front to back. Integers are least significant byte first, as IPMI has them (§1.2). */
import { Fault } from "#std/fault.ts";

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** `what` is named in the Fault. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.uint(1);
  }

  /** Unsigned, of 1 to 6 bytes. Throws Fault `ipmi.malformed` when fewer are there. */
  uint(width: number): number {
    this.#need(width);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this.#bytes[this.#at + i]!;
    this.#at += width;
    return value;
  }

  /** A copy, so that the datagram may go. */
  bytes(length: number): Uint8Array {
    this.#need(length);
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** All that is left, perhaps nothing. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  skip(length: number): void {
    this.#need(length);
    this.#at += length;
  }

  #need(length: number): void {
    if (this.left < length) throw malformed(this.#what, `${this.#bytes.length} bytes are too few`);
  }
}

/** The answer is no answer: Fault `ipmi.malformed` (peer, later). */
export function malformed(what: string, problem: string): Fault {
  return new Fault("ipmi.malformed", `${what}: ${problem}`, { fault: "peer", retry: "later" });
}

/** `value` in `width` bytes (1 to 6), least significant first. */
export function leastFirst(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256);
}

/** `text` in exactly `width` bytes, zeros behind it. Throws Fault `ipmi.text` (caller, never) when it is longer or no Latin 1. */
export function paddedText(text: string, width: number, what: string): Uint8Array {
  const bytes = new Uint8Array(width);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (i >= width || unit > 0xff || unit === 0) {
      const problem = i >= width ? `is longer than ${width} bytes` : "has a character that IPMI cannot carry";
      throw new Fault("ipmi.text", `${what} ${problem}`, { fault: "caller", retry: "never" });
    }
    bytes[i] = unit;
  }
  return bytes;
}

/** Up to the first zero. */
export function unpaddedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}
