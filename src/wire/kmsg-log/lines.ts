/** A stream of bytes cut into lines, for a sender that may never write an end of line. Holds one line at most. */

export interface Lines {
  /** The lines that end in these bytes, without their ends; empty ones and those that were too long are left out. */
  push(bytes: Uint8Array): Uint8Array[];
  /** Lines that were longer than allowed and were thrown away. */
  readonly dropped: number;
  /** Bytes of the line that has not ended yet, as far as they are kept. */
  readonly held: number;
}

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

/** `longest` is in bytes, without the end of the line. */
export function createLines(longest: number): Lines {
  const buffer = new Uint8Array(longest);
  let [held, dropped, isTooLong] = [0, 0, false];

  function take(piece: Uint8Array): void {
    if (isTooLong || piece.length === 0) return;
    if (held + piece.length > longest) {
      isTooLong = true;
      dropped++;
      held = 0;
      return;
    }
    buffer.set(piece, held);
    held += piece.length;
  }

  function end(): Uint8Array | undefined {
    const length = held > 0 && buffer[held - 1] === CARRIAGE_RETURN ? held - 1 : held;
    const line = isTooLong || length === 0 ? undefined : buffer.slice(0, length);
    [held, isTooLong] = [0, false];
    return line;
  }

  return {
    push(bytes) {
      const lines: Uint8Array[] = [];
      let from = 0;
      for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
        take(bytes.subarray(from, at));
        const line = end();
        if (line !== undefined) lines.push(line);
        from = at + 1;
      }
      take(bytes.subarray(from));
      return lines;
    },
    get dropped() {
      return dropped;
    },
    get held() {
      return held;
    },
  };
}
