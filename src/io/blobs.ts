/**
 * The door to large files: a store by content. A blob is found by the SHA-512 of its bytes (lower-case hexadecimal), is put in place
 * whole or not at all, and never changes. Hashing and reading happen off the event loop.
 */
export interface Blob {
  readonly sha512: string;
  readonly size: number;
  /**
   * The bytes from `start` up to, not including, `end`, in pieces that must not be changed: readers of the same blob may share them.
   * Rejects with Fault `io.corrupt` or `io.failed`.
   */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

/** A blob in the making. Its bytes survive a crash, so that a download goes on where it stopped. */
export interface BlobDraft {
  /** Bytes there already; where the next write goes. */
  readonly length: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Throws away what is there: the source has changed. */
  truncate(): Promise<void>;
  /**
   * Puts it in place when its SHA-512 is `expected` (any, if absent) and resolves to it. Otherwise the draft is discarded and Fault
   * `io.checksum` names both.
   */
  commit(expected?: string): Promise<Blob>;
  /** Leaves the draft for later. */
  close(): Promise<void>;
}

export interface Blobs {
  /** Undefined when there is none whose bytes have been found to be right since the process started. */
  find(sha512: string): Promise<Blob | undefined>;
  /** Reads everything and compares; what is wrong is moved out of the way. Resolves to the digests of what was wrong. */
  verify(): Promise<string[]>;
  /** One draft for each key at a time: Fault `io.busy` for a second one. `key` is any text (a URL). */
  draft(key: string): Promise<BlobDraft>;
  list(): Promise<{ readonly sha512: string; readonly size: number }[]>;
  remove(sha512: string): Promise<void>;
}
