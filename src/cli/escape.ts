/** What ends a console: `~.` at the beginning of a line, as ssh has it; `~~` is a tilde, `~?` shows this. */

export interface Typed {
  /** For the machine. */
  readonly send: Uint8Array;
  /** It was `~.`; what was typed after it is nobody's. */
  readonly ends: boolean;
  readonly asksForHelp: boolean;
}

const [TILDE, DOT, QUESTION, CR, LF] = [0x7e, 0x2e, 0x3f, 0x0d, 0x0a];

export class Escape {
  #isLineStart = true;
  #isAfterTilde = false;

  /** Takes what was typed next, in pieces of any size. */
  take(bytes: Uint8Array): Typed {
    const send: number[] = [];
    let asksForHelp = false;
    for (const byte of bytes) {
      if (this.#isAfterTilde) {
        this.#isAfterTilde = false;
        if (byte === DOT) return { send: Uint8Array.from(send), ends: true, asksForHelp };
        if (byte === QUESTION) {
          asksForHelp = true;
          continue;
        }
        send.push(TILDE);
        this.#isLineStart = false;
        if (byte === TILDE) continue;
      } else if (this.#isLineStart && byte === TILDE) {
        this.#isAfterTilde = true;
        continue;
      }
      send.push(byte);
      this.#isLineStart = byte === CR || byte === LF;
    }
    return { send: Uint8Array.from(send), ends: false, asksForHelp };
  }
}
