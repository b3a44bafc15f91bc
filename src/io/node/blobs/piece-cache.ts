/** Pieces of files that many machines read at the same time: each is read once, and the last used ones are kept. */
export class PieceCache {
  readonly #capacity: number;
  /** In order of last use. */
  readonly #kept = new Map<string, Buffer>();
  readonly #loading = new Map<string, Promise<Buffer>>();
  #bytes = 0;

  /** `capacity` in bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Calls `load` unless the piece is here or being loaded. */
  async get(key: string, load: () => Promise<Uint8Array>): Promise<Buffer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const loading = this.#loading.get(key) ?? this.#load(key, load);
    return await loading;
  }

  #load(key: string, load: () => Promise<Uint8Array>): Promise<Buffer> {
    const loading = load()
      .then(({ buffer, byteOffset, length }) => {
        const piece = Buffer.from(buffer, byteOffset, length);
        this.#kept.set(key, piece);
        this.#bytes += length;
        this.#shrink();
        return piece;
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  #shrink(): void {
    for (const [key, { length }] of this.#kept) {
      if (this.#bytes <= this.#capacity) return;
      this.#kept.delete(key);
      this.#bytes -= length;
    }
  }
}
