/** Reading a file whole or by the piece, and what its bytes come to. For the worker thread: hashing blocks. */
import { createHash, hash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { Fault } from "#std/fault.ts";
import { type Content, PIECE } from "./message.ts";

/** Hashes bytes as they come: all of them, and piece by piece. */
export class ContentHash {
  readonly #whole = createHash("sha512");
  readonly #pieces: Buffer[] = [];
  #piece = createHash("sha256");
  /** Bytes so far. */
  size = 0;

  update(bytes: Uint8Array): void {
    this.#whole.update(bytes);
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PIECE - (this.size % PIECE));
      this.#piece.update(part);
      at += part.length;
      this.size += part.length;
      if (this.size % PIECE === 0) this.#endPiece();
    }
  }

  /** Nothing can be added afterwards. */
  digest(): Omit<Content, "stamp"> {
    if (this.size % PIECE !== 0) this.#endPiece();
    return { sha512: this.#whole.digest("hex"), size: this.size, pieces: new Uint8Array(Buffer.concat(this.#pieces)) };
  }

  #endPiece(): void {
    this.#pieces.push(this.#piece.digest());
    this.#piece = createHash("sha256");
  }
}

/** Differs when the file is another one or was written to: the change time cannot be set by hand. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/** The first `length` bytes of the file into the hash; unhurried: at most half of the time is spent on it. Resolves to how many there were. */
export async function hashFile(
  file: FileHandle,
  into: ContentHash,
  { length = Infinity, unhurried = false } = {},
): Promise<number> {
  const buffer = Buffer.allocUnsafe(2 * PIECE);
  let at = 0;
  while (at < length) {
    const begun = performance.now();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) break;
    into.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
    if (unhurried) await setTimeout(performance.now() - begun);
  }
  return at;
}

/** Reads the whole file. */
export async function inspect(path: string, unhurried: boolean): Promise<Content> {
  await using file = await open(path, "r");
  const before = stampOf(await file.stat({ bigint: true }));
  const content = new ContentHash();
  await hashFile(file, content, { unhurried });
  const after = stampOf(await file.stat({ bigint: true }));
  if (after !== before) {
    throw new Fault("io.corrupt", `${path} was written to while it was read`, { fault: "world", retry: "soon" });
  }
  return { ...content.digest(), stamp: after };
}

/** One piece, if it is still what it was. */
export async function readPiece(path: string, index: number, length: number, digest: Uint8Array): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, index * PIECE + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  if (at < length || Buffer.compare(hash("sha256", bytes, "buffer"), digest) !== 0) {
    throw new Fault("io.corrupt", `${path} has changed since it was checked, at byte ${index * PIECE} or soon after`, {
      fault: "world",
      retry: "soon",
    });
  }
  return bytes;
}
