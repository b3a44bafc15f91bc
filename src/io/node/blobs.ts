/**
 * The blob store on the file system. Under its directory: `sha512/<hex>` (the blobs, read-only), `drafts/` (what is being written),
 * `names/` (where blobs came from). Other processes may put blobs and names in while this one runs; they are noticed.
 */
import { hash } from "node:crypto";
import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "#std/fault.ts";
import { type Blob, type BlobDraft, type BlobInfo, type BlobName, type Blobs, wrongChecksum } from "../blobs.ts";
import type { Log } from "../log.ts";
import { stampOf } from "./blobs/content.ts";
import { DiskDraft } from "./blobs/disk-draft.ts";
import { discardDraft, readRecord } from "./blobs/draft.ts";
import { diskFault } from "./blobs/fault.ts";
import { type Content, type DraftPlace, PIECE } from "./blobs/message.ts";
import { PieceCache } from "./blobs/piece-cache.ts";
import { Thread } from "./blobs/thread.ts";
import { disk } from "./disk.ts";

export interface BlobsOptions {
  /** Made, with those above it, if it is missing (mode 0700). */
  readonly directory: string;
  readonly log: Log;
  /** Bytes of pieces kept in memory for machines that boot together. Default 192 MiB: a kernel and its initial RAM disk. */
  readonly cache?: number;
}

const CACHE = 192 * 1024 * 1024;
const SHA512 = /^[0-9a-f]{128}$/;
/** Bytes of one SHA-256. */
const PIECE_DIGEST = 32;

export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const { directory } = options;
  for (const part of ["sha512", "drafts", "names"]) await disk.makeDirectory(join(directory, part), 0o700);
  return new DiskBlobs(options);
}

class DiskBlobs implements Blobs {
  readonly #log: Log;
  readonly #blobs: string;
  readonly #drafts: string;
  readonly #names: string;
  readonly #thread = new Thread();
  readonly #cache: PieceCache;
  readonly #listeners = new Set<() => void>();
  readonly #watchers: readonly FSWatcher[];
  /** What has been found to be right since the process started. */
  readonly #checked = new Map<string, Content>();
  /** Looked at since the last change. */
  readonly #untouched = new Set<string>();
  #isWatching = true;
  readonly #checking = new Map<string, Promise<Content | undefined>>();
  readonly #open = new Set<string>();

  constructor({ directory, log, cache = CACHE }: BlobsOptions) {
    this.#log = log;
    this.#blobs = join(directory, "sha512");
    this.#drafts = join(directory, "drafts");
    this.#names = join(directory, "names");
    this.#cache = new PieceCache(cache);
    this.#watchers = [this.#blobs, this.#names].map((path) => this.#watch(path));
  }

  async find(sha512: string): Promise<Blob | undefined> {
    if (!SHA512.test(sha512)) return undefined;
    const content = await this.#check(sha512, false);
    return content && this.#blob(content);
  }

  async verify(): Promise<string[]> {
    const wrong: string[] = [];
    for (const { sha512 } of await this.list()) {
      this.#checked.delete(sha512);
      if ((await this.#check(sha512, true)) === undefined) wrong.push(sha512);
    }
    return wrong;
  }

  async list(): Promise<BlobInfo[]> {
    const names = (await disk.list(this.#blobs)).filter((name) => SHA512.test(name));
    const infos = names.map(async (sha512) => ({ sha512, size: Number((await this.#stat(sha512))?.size ?? -1) }));
    return (await Promise.all(infos)).filter(({ size }) => size >= 0);
  }

  async remove(sha512: string): Promise<void> {
    if (!SHA512.test(sha512)) return;
    this.#checked.delete(sha512);
    await attempt(rm(join(this.#blobs, sha512), { force: true }));
  }

  async draft(key: string): Promise<BlobDraft> {
    const release = this.#claim(key);
    try {
      const opened = await this.#thread.call({ do: "open", place: this.#place(key) });
      return new DiskDraft({
        thread: this.#thread,
        opened,
        directory: this.#blobs,
        found: (content) => this.#found(content),
        release,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  async drafts(): Promise<string[]> {
    const records = (await disk.list(this.#drafts)).filter((name) => name.endsWith(".json"));
    const keys = await attempt(Promise.all(records.map((name) => readRecord(join(this.#drafts, name)))));
    return keys.flatMap((record) => record?.key ?? []);
  }

  async discard(key: string): Promise<void> {
    const release = this.#claim(key);
    await attempt(discardDraft(this.#place(key))).finally(release);
  }

  async adopt(path: string, expected?: string): Promise<Blob> {
    const { sha512, size } = await this.#thread.call({ do: "inspect", path, unhurried: false });
    if (expected !== undefined && sha512 !== expected) throw wrongChecksum(expected, sha512, size);
    const known = await this.find(sha512);
    if (known !== undefined) return known;
    const key = `copy of ${path}`;
    const release = this.#claim(key);
    const request = { do: "copy", path, place: this.#place(key), expected: sha512, directory: this.#blobs } as const;
    return this.#found(await this.#thread.call(request).finally(release));
  }

  async names(): Promise<BlobName[]> {
    const files = (await disk.list(this.#names)).filter((name) => name.endsWith(".json"));
    return (await Promise.all(files.map((file) => readName(join(this.#names, file))))).filter((name) => name !== undefined);
  }

  async named(name: string): Promise<BlobName | undefined> {
    return await readName(this.#nameFile(name));
  }

  async name({ name, sha512, keep }: BlobName): Promise<void> {
    await disk.writeAtomic(this.#nameFile(name), JSON.stringify({ name, sha512, keep }), 0o644);
  }

  async forget(name: string): Promise<void> {
    await attempt(rm(this.#nameFile(name), { force: true }));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    this.#listeners.clear();
    await this.#thread.end();
  }

  /**
   * What is in the file if it is what its name says; reads it unless it has been read and not been touched since. It is not even looked at while
   * the kernel tells of no change in the directory: every boot decision comes by here.
   */
  async #check(sha512: string, unhurried: boolean): Promise<Content | undefined> {
    const untouched = this.#untouched.has(sha512) ? this.#checked.get(sha512) : undefined;
    if (untouched !== undefined) return untouched;
    if (this.#isWatching) this.#untouched.add(sha512);
    const stats = await this.#stat(sha512);
    if (stats === undefined) {
      this.#checked.delete(sha512);
      return undefined;
    }
    const known = this.#checked.get(sha512);
    if (known?.stamp === stampOf(stats)) return known;
    this.#checked.delete(sha512);
    const checking = this.#checking.get(sha512) ?? this.#inspect(sha512, unhurried);
    this.#checking.set(sha512, checking);
    return await checking;
  }

  async #inspect(sha512: string, unhurried: boolean): Promise<Content | undefined> {
    try {
      const content = await this.#thread.call({ do: "inspect", path: join(this.#blobs, sha512), unhurried });
      if (content.sha512 === sha512) {
        this.#checked.set(sha512, content);
        return content;
      }
      this.#log.error("a file in the asset store is damaged and has been removed", { sha512, actual: content.sha512 });
      await this.remove(sha512);
    } catch (error) {
      this.#log.warn("a file in the asset store cannot be read", { sha512, because: error });
    } finally {
      this.#checking.delete(sha512);
    }
    return undefined;
  }

  #found(content: Content): Blob {
    this.#checked.set(content.sha512, content);
    return this.#blob(content);
  }

  #blob(content: Content): Blob {
    const { sha512, size } = content;
    return { sha512, size, read: (start, end) => this.#read(content, start, Math.min(end, size)) };
  }

  async *#read(content: Content, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const last = Math.ceil(end / PIECE) - 1;
    let next: Promise<Buffer> | undefined;
    for (let index = Math.floor(start / PIECE); index <= last; index++) {
      const piece = await (next ?? this.#piece(content, index));
      // Read while this one is on its way; when it fails, that is told when it is its turn.
      next = index < last ? this.#piece(content, index + 1) : undefined;
      next?.catch(() => {});
      yield piece.subarray(Math.max(0, start - index * PIECE), Math.min(PIECE, end - index * PIECE));
    }
  }

  async #piece(content: Content, index: number): Promise<Buffer> {
    const { sha512, size, pieces } = content;
    try {
      return await this.#cache.get(`${sha512}/${index}`, () =>
        this.#thread.call({
          do: "piece",
          path: join(this.#blobs, sha512),
          index,
          length: Math.min(PIECE, size - index * PIECE),
          digest: pieces.subarray(index * PIECE_DIGEST, (index + 1) * PIECE_DIGEST),
        }),
      );
    } catch (error) {
      // The next one who looks for it learns what is wrong.
      if (this.#checked.get(sha512) === content) this.#checked.delete(sha512);
      this.#changed();
      throw error;
    }
  }

  #claim(key: string): () => void {
    if (this.#open.has(key)) {
      throw new Fault("io.busy", `somebody is writing the draft of ${key}`, { fault: "caller", retry: "soon" });
    }
    this.#open.add(key);
    return () => void this.#open.delete(key);
  }

  #place(key: string): DraftPlace {
    const base = join(this.#drafts, fileName(key));
    return { key, part: `${base}.part`, record: `${base}.json` };
  }

  #nameFile(name: string): string {
    return join(this.#names, `${fileName(name)}.json`);
  }

  async #stat(sha512: string): Promise<BigIntStats | undefined> {
    try {
      return await stat(join(this.#blobs, sha512), { bigint: true });
    } catch {
      return undefined;
    }
  }

  #watch(path: string): FSWatcher {
    const watcher = watch(path, { persistent: false }, () => this.#changed());
    return watcher.on("error", (error) => {
      this.#isWatching = false;
      this.#changed();
      this.#log.warn("changes in the asset store may go unnoticed", { path, because: error });
    });
  }

  #changed(): void {
    this.#untouched.clear();
    for (const listener of this.#listeners) listener();
  }
}

async function readName(path: string): Promise<BlobName | undefined> {
  const bytes = await disk.read(path);
  try {
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as BlobName);
  } catch {
    // Not one of ours.
    return undefined;
  }
}

/** A key may be any text, a file name may not. */
function fileName(key: string): string {
  return hash("sha256", key, "hex");
}

async function attempt<T>(action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw diskFault(error);
  }
}
