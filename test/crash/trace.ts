/** The shim's log, and what a disk may hold after losing power at any point of it. */
import type { SeededEntropy } from "#io/memory/entropy.ts";

/** See shim.c: `struct record`. */
export interface Operation {
  readonly kind: "open" | "write" | "sync" | "failed sync" | "truncate" | "unlink";
  readonly name: string;
  readonly offset: number;
  readonly data: Buffer;
}

const KINDS: Record<string, Operation["kind"]> = {
  O: "open",
  W: "write",
  S: "sync",
  y: "failed sync",
  T: "truncate",
  U: "unlink",
};
const HEADER_BYTES = 16;
/** What the kernel writes back as a whole, and what a disk writes as a whole. */
const PAGE = 4096;
const SECTOR = 512;

export function parseTrace(log: Buffer): Operation[] {
  const names: string[] = [];
  const operations: Operation[] = [];
  for (let at = 0; at < log.length;) {
    const kind = KINDS[String.fromCharCode(log[at]!)]!;
    const file = log[at + 1]!;
    const length = log.readUInt32LE(at + 4);
    const offset = Number(log.readBigInt64LE(at + 8));
    const data = log.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (kind === "open") names[file] = data.toString();
    operations.push({ kind, name: names[file]!, offset, data });
    at += HEADER_BYTES + length;
  }
  return operations;
}

/** A file's content with room to grow. */
class Content {
  bytes: Buffer = Buffer.alloc(1024 * 1024);
  length = 0;

  write(offset: number, data: Uint8Array): void {
    const end = offset + data.length;
    if (end > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(Math.max(this.bytes.length, end))]);
    this.bytes.set(data, offset);
    this.length = Math.max(this.length, end);
  }

  truncate(length: number): void {
    if (length < this.length) this.bytes.fill(0, length, this.length);
    else this.write(length, Buffer.alloc(0));
    this.length = length;
  }
}

/** One file: what its process sees, and what survives. */
class File {
  readonly seen = new Content();
  readonly durable = new Content();
  /** Pages that differ. After a failed fsync Linux takes them for clean: only writing them again makes them durable. */
  readonly dirty = new Set<number>();
  readonly forgotten = new Set<number>();
  /** Its name is durable: the directory has been synced since. */
  isLinked = false;

  write(offset: number, data: Uint8Array): void {
    this.seen.write(offset, data);
    for (let page = Math.floor(offset / PAGE); page * PAGE < offset + data.length; page++) {
      this.dirty.add(page);
      this.forgotten.delete(page);
    }
  }

  sync(): void {
    for (const page of this.dirty) this.#writeBack(page, () => true);
    this.dirty.clear();
    this.durable.truncate(this.seen.length);
  }

  failSync(): void {
    for (const page of this.dirty) this.forgotten.add(page);
    this.dirty.clear();
  }

  /** The kernel writes pages back when it likes, and the power may go in the middle of one. */
  leak(entropy: SeededEntropy, probability: number): void {
    for (const page of [...this.dirty, ...this.forgotten]) {
      if (!entropy.chance(probability)) continue;
      const isTorn = entropy.chance(0.3);
      this.#writeBack(page, () => !isTorn || entropy.chance(0.5));
    }
  }

  #writeBack(page: number, reaches: () => boolean): void {
    const end = Math.min((page + 1) * PAGE, this.seen.length);
    for (let at = page * PAGE; at < end; at += SECTOR) {
      if (reaches()) this.durable.write(at, this.seen.bytes.subarray(at, Math.min(at + SECTOR, end)));
    }
  }
}

/** Replays the first `count` operations and cuts the power: names and contents of the files that are found afterwards. */
export function cutPower(operations: readonly Operation[], count: number, entropy: SeededEntropy): Map<string, Buffer> {
  const files = new Map<string, File>();
  /** Files whose removal is not durable yet. */
  const ghosts = new Map<string, File>();
  for (const { kind, name, offset, data } of operations.slice(0, count)) {
    if (name === ".") {
      if (kind !== "sync") continue;
      ghosts.clear();
      for (const file of files.values()) file.isLinked = true;
      continue;
    }
    const file = files.get(name) ?? new File();
    files.set(name, file);
    if (kind === "write") {
      file.write(offset, data);
      if (entropy.chance(0.05)) file.leak(entropy, 0.2);
    } else if (kind === "truncate") file.seen.truncate(offset);
    else if (kind === "sync") file.sync();
    else if (kind === "failed sync") file.failSync();
    else if (kind === "unlink") {
      files.delete(name);
      if (file.isLinked) ghosts.set(name, file);
    }
  }

  const found = new Map<string, Buffer>();
  for (const [name, file] of [...ghosts, ...files]) {
    if (!file.isLinked && entropy.chance(0.5)) continue;
    if (ghosts.get(name) === file && entropy.chance(0.5)) continue;
    file.leak(entropy, entropy.fraction());
    const length = entropy.chance(0.5) ? file.durable.length : file.seen.length;
    file.durable.truncate(length);
    found.set(name, Buffer.from(file.durable.bytes.subarray(0, length)));
  }
  return found;
}
