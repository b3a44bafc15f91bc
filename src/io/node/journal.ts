/** The journal on disk: SQLite on a worker thread, so that the event loop never waits for an fsync. */
import { Worker } from "node:worker_threads";
import { GroupCommit } from "#io/group-commit.ts";
import type { Journal, Opened, Row } from "#io/journal.ts";
import { Fault } from "#std/fault.ts";
import type { Answer, Answers, Request } from "./journal-message.ts";
import { faultFrom, pack } from "./journal-message.ts";

/**
 * A journal in `directory`, which is made if need be (mode 0700). `open` rejects with Fault `io.locked` when another process has it
 * open, `io.format` when it is not a journal this program can read, `io.corrupt` when it is damaged.
 */
export function createJournal(directory: string): Journal {
  return new WorkerJournal(directory);
}

class WorkerJournal implements Journal {
  readonly #directory: string;
  readonly #worker: Worker;
  readonly #calls = new Map<number, PromiseWithResolvers<never>>();
  readonly #group = new GroupCommit<Row>((rows) => this.#commit(rows));
  #nextId = 0;
  /** Why nothing can be asked any more. */
  #end: Fault | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#worker = new Worker(new URL("./journal-worker.ts", import.meta.url), { name: "journal" });
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (error) => {
      this.#die(error);
      // A defect of ours after which nothing can be stored any more: the process ends loudly, and is started again.
      throw error;
    });
    this.#worker.on("exit", () => this.#die(undefined));
    this.#worker.unref();
  }

  open(): Promise<Opened> {
    return this.#call({ do: "open", directory: this.#directory });
  }

  async read(onRows: (rows: Row[]) => void): Promise<void> {
    let next = this.#call({ do: "read", after: 0 });
    for (;;) {
      const rows = await next;
      const last = rows.at(-1);
      if (last === undefined) return;
      // The worker reads on while these rows are worked on.
      next = this.#call({ do: "read", after: last.revision });
      onRows(rows);
    }
  }

  append(rows: readonly Row[]): Promise<void> {
    return this.#end === undefined ? this.#group.append(rows) : Promise.reject(this.#end);
  }

  async compact(revision: number): Promise<void> {
    // In steps, so that appends are never behind a long one.
    while ((await this.#call({ do: "compact", revision })) < revision);
  }

  backup(path: string): Promise<void> {
    return this.#call({ do: "backup", path });
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    await this.#group.idle();
    const closed = this.#call({ do: "close" });
    this.#end = new Fault("io.closed", "the journal is closed", { fault: "world", retry: "later" });
    await closed;
    await this.#worker.terminate();
  }

  #commit(rows: Row[]): Promise<void> {
    const batch = pack(rows);
    return this.#call({ do: "append", batch }, [batch.slab]);
  }

  #call<R extends Request>(request: R, transfer: ArrayBuffer[] = []): Promise<Answers[R["do"]]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call = Promise.withResolvers<never>();
    const id = this.#nextId++;
    this.#calls.set(id, call);
    // Only what is under way keeps the process alive.
    this.#worker.ref();
    this.#worker.postMessage({ id, request }, transfer);
    return call.promise;
  }

  #settle(answer: Answer): void {
    const call = this.#calls.get(answer.id)!;
    this.#calls.delete(answer.id);
    if (this.#calls.size === 0) this.#worker.unref();
    if ("fault" in answer) call.reject(faultFrom(answer.fault));
    else call.resolve(answer.value as never);
  }

  #die(cause: unknown): void {
    this.#end ??= new Fault("io.failed", "the journal's thread has ended", { fault: "ours", retry: "later", cause });
    for (const call of this.#calls.values()) call.reject(this.#end);
    this.#calls.clear();
  }
}
