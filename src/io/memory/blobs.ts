/** The blob store in memory. What it holds can be looked at, and damaged. */
import { Fault } from "#std/fault.ts";
import { type Blob, type BlobDraft, type BlobName, type Blobs, wrongChecksum } from "../blobs.ts";
import type { MemoryDisk } from "./disk.ts";

export interface MemoryBlobsOptions {
  /** SHA-512 in lower-case hexadecimal. */
  readonly sha512: (bytes: Uint8Array) => string;
  /** Where local files are. */
  readonly disk: MemoryDisk;
}

interface StoredDraft {
  bytes: Buffer;
  note: string;
}

/** Small, so that tests see several. */
const PIECE = 1024;

export class MemoryBlobs implements Blobs {
  readonly #options: MemoryBlobsOptions;
  /** By digest. Tests put others in their place, or delete some and call {@link changed}. */
  readonly contents = new Map<string, Uint8Array>();
  readonly #names = new Map<string, BlobName>();
  readonly #drafts = new Map<string, StoredDraft>();
  readonly #open = new Set<string>();
  readonly #listeners = new Set<() => void>();

  constructor(options: MemoryBlobsOptions) {
    this.#options = options;
  }

  async find(sha512: string): Promise<Blob | undefined> {
    const bytes = this.contents.get(sha512);
    if (bytes === undefined) return undefined;
    if (this.#options.sha512(bytes) === sha512) return this.#blob(sha512, bytes);
    await this.remove(sha512);
    return undefined;
  }

  async verify(): Promise<string[]> {
    const found = await Promise.all([...this.contents.keys()].map(async (sha512) => ({ sha512, blob: await this.find(sha512) })));
    return found.filter(({ blob }) => blob === undefined).map(({ sha512 }) => sha512);
  }

  async list(): Promise<{ sha512: string; size: number }[]> {
    return [...this.contents].map(([sha512, { length }]) => ({ sha512, size: length }));
  }

  async remove(sha512: string): Promise<void> {
    if (this.contents.delete(sha512)) this.changed();
  }

  async draft(key: string): Promise<BlobDraft> {
    this.#mustBeFree(key);
    const stored = this.#drafts.get(key) ?? { bytes: Buffer.alloc(0), note: "" };
    this.#drafts.set(key, stored);
    this.#open.add(key);
    const close = async (): Promise<void> => void this.#open.delete(key);
    const commit = async (expected?: string): Promise<Blob> => {
      await close();
      this.#drafts.delete(key);
      return this.#put(stored.bytes, expected);
    };
    return {
      get length() {
        return stored.bytes.length;
      },
      get note() {
        return stored.note;
      },
      write: async (bytes) => void (stored.bytes = Buffer.concat([stored.bytes, bytes])),
      restart: async (note) => void Object.assign(stored, { bytes: Buffer.alloc(0), note }),
      commit,
      close,
    };
  }

  async drafts(): Promise<string[]> {
    return [...this.#drafts.keys()];
  }

  async discard(key: string): Promise<void> {
    this.#mustBeFree(key);
    this.#drafts.delete(key);
  }

  async adopt(path: string, expected?: string): Promise<Blob> {
    const bytes = await this.#options.disk.read(path);
    if (bytes === undefined) throw new Fault("io.failed", `${path}: no such file`, { fault: "world", retry: "later" });
    return this.#put(bytes, expected);
  }

  async names(): Promise<BlobName[]> {
    return [...this.#names.values()];
  }

  async named(name: string): Promise<BlobName | undefined> {
    return this.#names.get(name);
  }

  async name(entry: BlobName): Promise<void> {
    this.#names.set(entry.name, entry);
    this.changed();
  }

  async forget(name: string): Promise<void> {
    if (this.#names.delete(name)) this.changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  changed(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }

  #put(bytes: Uint8Array, expected?: string): Blob {
    const actual = this.#options.sha512(bytes);
    if (expected !== undefined && actual !== expected) {
      throw wrongChecksum(expected, actual, bytes.length);
    }
    this.contents.set(actual, bytes);
    this.changed();
    return this.#blob(actual, bytes);
  }

  #blob(sha512: string, bytes: Uint8Array): Blob {
    const { contents } = this;
    const hash = this.#options.sha512;
    return {
      sha512,
      size: bytes.length,
      async *read(start, end) {
        for (let at = start; at < Math.min(end, bytes.length); at += PIECE) {
          const now = contents.get(sha512);
          if (now === undefined) throw new Fault("io.failed", `${sha512} is gone`, { fault: "world", retry: "later" });
          if (now !== bytes && hash(now) !== sha512)
            throw new Fault("io.corrupt", `${sha512} has changed`, { fault: "world", retry: "soon" });
          yield Buffer.from(now.subarray(at, Math.min(at + PIECE, end)));
        }
      },
    };
  }

  #mustBeFree(key: string): void {
    if (!this.#open.has(key)) return;
    throw new Fault("io.busy", `somebody is writing the draft of ${key}`, { fault: "caller", retry: "soon" });
  }
}
