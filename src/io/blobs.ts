/**
 * The door to large files: a store by content. A blob is found by the SHA-512 of its bytes (lower-case hexadecimal), is put in place
 * whole or not at all, and never changes. Hashing and reading happen off the event loop.
 *
 * Beside the blobs there are names for them: where a blob came from (a URL, a file), so that it is found again without its digest, and
 * so that what nobody asks for any more can be told from what somebody has put there.
 */
import { Fault } from "#std/fault.ts";

export interface Blob {
  readonly sha512: string;
  readonly size: number;
  /**
   * The bytes from `start` up to, not including, `end`, in pieces that must not be changed: readers of the same blob may share them.
   * Rejects with Fault `io.corrupt` (they are no longer what they were: nothing wrong is ever given out) or `io.failed`.
   */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

/** A blob in the making. Its bytes survive a crash, so that a download goes on where it stopped. One call at a time. */
export interface BlobDraft {
  /** Bytes there already; where the next write goes. After a crash less may be there than was written, never something else. */
  readonly length: number;
  /** What {@link restart} was told of the source of these bytes; "" at first. */
  readonly note: string;
  /** The bytes may be used again when it resolves. A failure may be told by the next call instead. */
  write(bytes: Uint8Array): Promise<void>;
  /** Throws away what is there: the source is another one, or has changed. */
  restart(note: string): Promise<void>;
  /**
   * Puts it in place when its SHA-512 is `expected` (any, if absent) and resolves to it. Otherwise the draft is discarded and Fault
   * `io.checksum` names both (facts `expected`, `actual`).
   */
  commit(expected?: string): Promise<Blob>;
  /** Leaves the draft for later. Fine after commit. */
  close(): Promise<void>;
}

/** Why a blob is here. */
export interface BlobName {
  /** Any text: a URL, `agent-amd64/vmlinuz`, a file name. */
  readonly name: string;
  readonly sha512: string;
  /** Somebody has put it here: it stays until it is removed. Otherwise it may go when nobody refers to it. */
  readonly keep: boolean;
}

export interface BlobInfo {
  readonly sha512: string;
  /** Bytes. */
  readonly size: number;
}

export interface Blobs {
  /** Undefined when there is none whose bytes have been found to be right since the process started; looking may take reading it all. */
  find(sha512: string): Promise<Blob | undefined>;
  /** Reads everything, unhurried, and compares; what is wrong is removed. Resolves to the digests of what was wrong. */
  verify(): Promise<string[]>;
  list(): Promise<BlobInfo[]>;
  remove(sha512: string): Promise<void>;

  /** Goes on with the draft of that key (any text) or begins one. One at a time for each key: Fault `io.busy` for a second one. */
  draft(key: string): Promise<BlobDraft>;
  /** Keys of drafts. */
  drafts(): Promise<string[]>;
  /** Removes a draft that nobody has open; Fault `io.busy` when somebody has. */
  discard(key: string): Promise<void>;
  /**
   * A copy of a local file; nothing is written when its bytes are here already. Fault `io.failed` when it cannot be read, `io.checksum`
   * when its SHA-512 is not `expected`.
   */
  adopt(path: string, expected?: string): Promise<Blob>;

  names(): Promise<BlobName[]>;
  named(name: string): Promise<BlobName | undefined>;
  /** Takes the place of an entry of the same name. */
  name(entry: BlobName): Promise<void>;
  forget(name: string): Promise<void>;

  /** `listener` is called soon after blobs or names have come or gone, whoever did it. Returns what ends that. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
// All but `find` reject with Fault `io.no-space` or `io.failed` when the disk fails; a blob that cannot be read is not found.

/** What a commit, or an adoption, of the wrong bytes rejects with. */
export function wrongChecksum(expected: string, actual: string, size: number): Fault {
  return new Fault("io.checksum", `the SHA-512 is ${actual}, not ${expected} as expected`, {
    fault: "peer",
    retry: "later",
    facts: { expected, actual, size },
  });
}
