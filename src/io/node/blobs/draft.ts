/** A draft on the disk: its bytes, and a record of how many of them a power loss leaves whole. For the worker thread. */
import { constants } from "node:fs";
import { chmod, type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { wrongChecksum } from "#io/blobs.ts";
import { ContentHash, hashFile, stampOf } from "./content.ts";
import { type Content, type DraftPlace, PIECE } from "./message.ts";

/** Bytes after which what was written is made durable: what a crash costs at most. */
const DURABLE_STEP = 8 * 1024 * 1024;

export interface DraftRecord {
  readonly key: string;
  readonly note: string;
  readonly length: number;
}

export class Draft {
  readonly #place: DraftPlace;
  readonly #file: FileHandle;
  #content = new ContentHash();
  #durable = 0;
  note = "";

  private constructor(place: DraftPlace, file: FileHandle) {
    this.#place = place;
    this.#file = file;
  }

  static async open(place: DraftPlace): Promise<Draft> {
    const record = await readRecord(place.record);
    const known = record?.key === place.key ? record : undefined;
    // Without a record the bytes are of nobody knows what.
    if (known === undefined) await writeRecord(place.record, { key: place.key, note: "", length: 0 });
    const draft = new Draft(place, await open(place.part, constants.O_RDWR | constants.O_CREAT, 0o600));
    try {
      await draft.#resume(known?.length ?? 0, known?.note ?? "");
    } catch (error) {
      await draft.#file.close();
      throw error;
    }
    return draft;
  }

  get length(): number {
    return this.#content.size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += (await this.#file.write(bytes, at, bytes.length - at, this.length + at)).bytesWritten;
    }
    this.#content.update(bytes);
    if (this.length - this.#durable >= DURABLE_STEP) await this.#makeDurable();
  }

  async restart(note: string): Promise<void> {
    this.note = note;
    this.#content = new ContentHash();
    this.#durable = 0;
    // In this order: a record must never promise bytes of another source.
    await this.#record();
    await this.#file.truncate(0);
  }

  async commit(expected: string | undefined, directory: string): Promise<Content> {
    await using file = this.#file;
    const content = this.#content.digest();
    if (expected !== undefined && content.sha512 !== expected) {
      await discardDraft(this.#place);
      throw wrongChecksum(expected, content.sha512, content.size);
    }
    await file.sync();
    const path = join(directory, content.sha512);
    await chmod(this.#place.part, 0o444);
    await rename(this.#place.part, path);
    await syncDirectory(directory);
    const stamp = stampOf(await file.stat({ bigint: true }));
    await rm(this.#place.record, { force: true });
    return { ...content, stamp };
  }

  async close(): Promise<void> {
    await using _ = this.#file;
    await this.#makeDurable();
  }

  async #resume(length: number, note: string): Promise<void> {
    await hashFile(this.#file, this.#content, { length });
    if (this.length < length) {
      // The disk has lost what it had promised.
      await this.restart(note);
      return;
    }
    await this.#file.truncate(length);
    this.note = note;
    this.#durable = length;
  }

  async #makeDurable(): Promise<void> {
    await this.#file.datasync();
    this.#durable = this.length;
    await this.#record();
  }

  #record(): Promise<void> {
    return writeRecord(this.#place.record, { key: this.#place.key, note: this.note, length: this.#durable });
  }
}

/** A local file into the directory of blobs; Fault `io.checksum` when it is no longer `expected`. */
export async function copy(path: string, place: DraftPlace, expected: string, directory: string): Promise<Content> {
  await using source = await open(path, "r");
  const draft = await Draft.open(place);
  try {
    await draft.restart("");
    const buffer = Buffer.allocUnsafe(2 * PIECE);
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.length, draft.length);
      if (bytesRead === 0) break;
      await draft.write(buffer.subarray(0, bytesRead));
    }
    return await draft.commit(expected, directory);
  } catch (error) {
    await draft.close().catch(() => {});
    throw error;
  }
}

export async function discardDraft({ part, record }: Pick<DraftPlace, "part" | "record">): Promise<void> {
  await rm(part, { force: true });
  await rm(record, { force: true });
}

/** Undefined when there is none, or a power loss has eaten it. */
export async function readRecord(path: string): Promise<DraftRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as DraftRecord;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeRecord(path: string, record: DraftRecord): Promise<void> {
  const text = JSON.stringify(record);
  await using file = await open(`${path}.new`, "w", 0o600);
  await file.writeFile(text);
  await file.datasync();
  await rename(`${path}.new`, path);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
