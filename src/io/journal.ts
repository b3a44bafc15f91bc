/**
 * The door to the store's disk: an ordered, durable log of revisions (MVCC rows). Node's twin is SQLite on a worker thread,
 * the memory twin keeps rows in an array and can be told to fail.
 */
export interface Row {
  /** Strictly increasing, never reused, also across restarts and failed appends. */
  readonly revision: number;
  /** `<group>/<plural>`, `/secrets` for the core group. */
  readonly resource: string;
  /** "" for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  /** The object as stored (JSON, storage version, its own resourceVersion inside). For a deletion: its last state. */
  readonly value: Uint8Array;
  readonly deleted: boolean;
  /** Revision of the object's previous row, 0 when this row creates it. */
  readonly previous: number;
}

export interface Opened {
  /** Highest revision ever appended, also when its row has been compacted away. 0 for a new journal. */
  readonly revision: number;
  /** History before (and at) this revision is gone but for the newest live row of each object. */
  readonly compacted: number;
}

export interface Journal {
  /**
   * Must come first. Rejects with Fault `io.locked` when another process holds the journal, `io.format` when it was written by a newer
   * version or is something else, `io.corrupt` when it is damaged, and as {@link append}.
   */
  open(): Promise<Opened>;
  /**
   * Rows in revision order: for every object its newest live row, and everything later than the compacted revision. Their values are
   * the reader's to keep: each has memory of its own.
   */
  read(onRows: (rows: Row[]) => void): Promise<void>;
  /**
   * Appends atomically; when it resolves the rows survive a power loss. Concurrent calls are committed together, in call order.
   * Rejects with Fault `io.no-space`, `io.failed` and `io.closed`; then nothing of the call is kept. Only where the fault's fact
   * `uncertain` is true, the disk did not even let us find out: a process that dies before anything later is durable may find the rows
   * when it opens the journal again.
   */
  append(rows: readonly Row[]): Promise<void>;
  /** Forgets superseded rows and deletions at or before `revision`. */
  compact(revision: number): Promise<void>;
  /** Writes a consistent copy while running; Fault `io.exists` when there is something at `path`. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}
