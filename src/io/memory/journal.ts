/**
 * The journal in memory. Its rows outlive it: `crash` leaves what a disk would hold if the power went now, and hands it to a
 * new journal. It fails, hesitates and forgets as a seed tells it to.
 */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import { GroupCommit } from "#io/group-commit.ts";
import type { Journal, Opened, Row } from "#io/journal.ts";
import { Fault } from "#std/fault.ts";
import { SeededEntropy } from "./entropy.ts";

export interface JournalFaults {
  readonly seed: number;
  /** Probability that an append fails and nothing of it is kept. */
  readonly fail?: number;
  /**
   * Probability that an append fails with an outcome that only shows later: as on a disk whose fsync failed, its rows are gone
   * with the next append that succeeds, but if a crash comes first they may be there.
   */
  readonly unknown?: number;
  /** An append takes up to this many milliseconds, before and again after its rows are durable. */
  readonly delay?: { readonly clock: Clock; readonly milliseconds: number };
}

interface Disk {
  rows: Row[];
  revision: number;
  compacted: number;
}

export class MemoryJournal implements Journal {
  readonly #disk: Disk;
  readonly #faults: JournalFaults;
  readonly #entropy: SeededEntropy;
  /** Rows of failed appends that a crash may bring back. */
  #lingering: Row[] = [];
  readonly #group = new GroupCommit<Row>((rows) => this.#commit(rows));
  #closed = false;
  #crashed = false;
  /** When set, every append fails with it: a full disk until it is set to undefined. */
  refusal: Fault | undefined;

  constructor(faults: JournalFaults = { seed: 0 }, disk: Disk = { rows: [], revision: 0, compacted: 0 }) {
    this.#disk = disk;
    this.#faults = faults;
    this.#entropy = new SeededEntropy(faults.seed);
  }

  /** Ends this journal without a word (what is under way never resolves) and opens what is left on a new one. */
  crash(faults: JournalFaults = this.#faults): MemoryJournal {
    this.#crashed = true;
    const rows = [...this.#disk.rows];
    if (this.#entropy.chance(0.5)) rows.push(...this.#lingering);
    const revision = Math.max(this.#disk.revision, rows.at(-1)?.revision ?? 0);
    return new MemoryJournal(faults, { rows, revision, compacted: this.#disk.compacted });
  }

  async open(): Promise<Opened> {
    return { revision: this.#disk.revision, compacted: this.#disk.compacted };
  }

  async read(onRows: (rows: Row[]) => void): Promise<void> {
    this.#mustBeOpen();
    onRows([...this.#disk.rows]);
  }

  append(rows: readonly Row[]): Promise<void> {
    return this.#closed ? Promise.reject(closed()) : this.#group.append(rows);
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    const superseded = new Set(this.#disk.rows.filter((row) => row.revision <= revision).map((row) => row.previous));
    this.#disk.rows = this.#disk.rows.filter((row) => row.revision > revision || !(row.deleted || superseded.has(row.revision)));
    this.#disk.compacted = Math.max(this.#disk.compacted, revision);
  }

  async backup(): Promise<void> {
    throw new Fault("io.failed", "a journal in memory has no files to back up", { fault: "caller", retry: "never" });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#group.idle();
  }

  async #commit(rows: Row[]): Promise<void> {
    await this.#hesitate();
    if (this.refusal !== undefined) throw this.refusal;
    if (this.#entropy.chance(this.#faults.fail ?? 0)) throw failed(false);
    if (this.#entropy.chance(this.#faults.unknown ?? 0)) {
      this.#lingering = rows;
      throw failed(true);
    }
    this.#lingering = [];
    this.#disk.rows.push(...rows);
    this.#disk.revision = rows.at(-1)?.revision ?? this.#disk.revision;
    await this.#hesitate();
  }

  async #hesitate(): Promise<void> {
    const { delay } = this.#faults;
    if (delay !== undefined) await sleep(delay.clock, this.#entropy.below(delay.milliseconds));
    if (this.#crashed) await new Promise<never>(() => {});
  }

  #mustBeOpen(): void {
    if (this.#closed) throw closed();
  }
}

function closed(): Fault {
  return new Fault("io.closed", "the journal is closed", { fault: "world", retry: "later" });
}

function failed(uncertain: boolean): Fault {
  const message = "the journal's disk failed, as its seed told it to";
  return new Fault("io.failed", message, { fault: "world", retry: "later", facts: { uncertain } });
}
