/** A draft as the event loop sees it; its bytes are the thread's. */
import type { Blob, BlobDraft } from "#io/blobs.ts";
import type { Answers, Content } from "./message.ts";
import type { Thread } from "./thread.ts";

export interface DiskDraftOptions {
  readonly thread: Thread;
  readonly opened: Answers["open"];
  /** Where it goes when it is whole. */
  readonly directory: string;
  readonly found: (content: Content) => Blob;
  /** Called when somebody else may open it. */
  readonly release: () => void;
}

export class DiskDraft implements BlobDraft {
  readonly #options: DiskDraftOptions;
  readonly #draft: number;
  length: number;
  note: string;
  #isOpen = true;
  /** The last write: the thread writes while the next bytes come. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: DiskDraftOptions) {
    this.#options = options;
    const { draft, length, note } = options.opened;
    this.#draft = draft;
    this.length = length;
    this.note = note;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    this.#writing = this.#options.thread.call({ do: "write", draft: this.#draft, bytes });
    // Told by the next call.
    this.#writing.catch(() => {});
    this.length += bytes.length;
  }

  async restart(note: string): Promise<void> {
    await this.#writing;
    await this.#options.thread.call({ do: "restart", draft: this.#draft, note });
    this.length = 0;
    this.note = note;
  }

  async commit(expected?: string): Promise<Blob> {
    const { thread, directory, found, release } = this.#options;
    await this.#writing;
    this.#isOpen = false;
    return found(await thread.call({ do: "commit", draft: this.#draft, expected, directory }).finally(release));
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // What a failed write has left out is not counted by the thread.
    await this.#writing.catch(() => {});
    await this.#options.thread.call({ do: "close", draft: this.#draft }).finally(this.#options.release);
  }
}
