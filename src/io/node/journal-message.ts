/** What the journal and its worker thread say to each other. */
import type { Opened, Row } from "#io/journal.ts";
import type { Blame, Retry } from "#std/fault.ts";
import { Fault } from "#std/fault.ts";

/** A row whose value is the next `length` bytes of its batch's slab. */
export interface PackedRow extends Omit<Row, "value"> {
  readonly length: number;
}

/** One transferred allocation for all values: nothing is copied but into it, once. */
export interface Batch {
  readonly rows: readonly PackedRow[];
  readonly slab: ArrayBuffer;
}

export type Request =
  | { readonly do: "open"; readonly directory: string }
  | { readonly do: "read"; readonly after: number }
  | { readonly do: "append"; readonly batch: Batch }
  | { readonly do: "compact"; readonly revision: number }
  | { readonly do: "backup"; readonly path: string }
  | { readonly do: "close" };

/** What each request is answered with. */
export interface Answers {
  open: Opened;
  /** Rows in revision order; [] after the last. */
  read: Row[];
  append: void;
  /** How far compaction has come: less than asked for when there is more to do. */
  compact: number;
  backup: void;
  close: void;
}

export type Answer = { readonly id: number } & ({ readonly value: Answers[keyof Answers] } | { readonly fault: PlainFault });

/** A Fault as structured cloning leaves it whole. */
export interface PlainFault {
  readonly code: string;
  readonly message: string;
  readonly fault: Blame;
  readonly retry: Retry;
  readonly facts: Readonly<Record<string, unknown>>;
}

export function plainFault({ code, message, fault, retry, facts }: Fault): PlainFault {
  return { code, message, fault, retry, facts };
}

export function faultFrom({ code, message, fault, retry, facts }: PlainFault): Fault {
  return new Fault(code, message, { fault, retry, facts });
}

export function pack(rows: readonly Row[]): Batch {
  const slab = new ArrayBuffer(rows.reduce((sum, row) => sum + row.value.byteLength, 0));
  const bytes = new Uint8Array(slab);
  let offset = 0;
  const packed = rows.map(({ value, ...row }): PackedRow => {
    bytes.set(value, offset);
    offset += value.byteLength;
    return { ...row, length: value.byteLength };
  });
  return { rows: packed, slab };
}

export function* unpack({ rows, slab }: Batch): Generator<Row> {
  let offset = 0;
  for (const { length, ...row } of rows) {
    yield { ...row, value: new Uint8Array(slab, offset, length) };
    offset += length;
  }
}
