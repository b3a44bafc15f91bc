import type { Item, WatchType } from "./render.ts";

const END_OF_LINE = Buffer.from("}\n");
/** Enough for the burst of events that slow watchers catch up on, little beside the objects themselves. */
const MAX_BYTES = 4 * 1024 * 1024;

/** `{"type":"ADDED","object":…}\n`, the framing of application/json;stream=watch. */
export function eventLine(type: WatchType, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, END_OF_LINE]);
}

/**
 * The lines of the newest events, so that any number of watchers share one Buffer. Bounded by bytes instead of tied to the objects'
 * lives: a watch that starts by listing 10,000 objects would otherwise keep a second copy of all of them for good.
 */
export class EventLines {
  readonly #byType = new Map<WatchType, Map<Item, Buffer>>();
  #bytes = 0;

  of(type: WatchType, item: Item, encode: () => Buffer): Buffer {
    let lines = this.#byType.get(type);
    if (lines === undefined) this.#byType.set(type, (lines = new Map()));
    const known = lines.get(item);
    if (known !== undefined) return known;
    const line = eventLine(type, encode());
    lines.set(item, line);
    this.#bytes += line.length;
    if (this.#bytes > MAX_BYTES) this.#forgetOldest();
    return line;
  }

  /** Drops the older half of every type: rare, and one pass keeps the common path free of bookkeeping. */
  #forgetOldest(): void {
    for (const lines of this.#byType.values()) {
      let excess = Math.ceil(lines.size / 2);
      for (const [item, line] of lines) {
        if (excess-- === 0) break;
        lines.delete(item);
        this.#bytes -= line.length;
      }
    }
  }
}
