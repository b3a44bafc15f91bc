/** What the appender says it tries and how that ends; and what a journal may hold when the power goes after it has said so much. */
import assert from "node:assert/strict";
import type { Row } from "#io/journal.ts";

interface SaidRow extends Omit<Row, "value"> {
  readonly length: number;
}

interface Append {
  readonly do: "append";
  readonly rows: readonly SaidRow[];
}

interface Compact {
  readonly do: "compact";
  readonly revision: number;
}

export type Said = Append | Compact | { readonly do: "done" } | { readonly do: "failed"; readonly uncertain: boolean };

/** Every revision has a value of its own. */
export function valueOf(revision: number, length: number): Buffer {
  return Buffer.alloc(length, `${revision} `);
}

export class Minutes {
  readonly #kept: SaidRow[] = [];
  /** Appends without a known end, and uncertain failures without anything durable after them: all of each may be found, or nothing. */
  #doubtful: Append[] = [];
  /** Compaction has come at least to the first and at most to the second. */
  #compacted: [number, number] = [0, 0];
  #current: Append | Compact | undefined;
  done = 0;
  failed = 0;

  constructor(lines: readonly string[]) {
    for (const line of lines) this.#note(JSON.parse(line) as Said);
  }

  #note(said: Said): void {
    const current = this.#current;
    if (said.do === "append" || said.do === "compact") {
      this.#current = said;
      if (said.do === "append") this.#doubtful.push(said);
      else this.#compacted[1] = Math.max(this.#compacted[1], said.revision);
      return;
    }
    if (said.do === "failed") {
      this.failed++;
      if (!said.uncertain && current?.do === "append") this.#doubtful = [];
      return;
    }
    this.done++;
    if (current?.do === "append") this.#kept.push(...current.rows);
    if (current?.do === "compact") this.#compacted[0] = Math.max(this.#compacted[0], current.revision);
    // Whatever became durable has made earlier failures certain, too.
    this.#doubtful = [];
  }

  /** Checks what was found, with what `open` said of it. */
  check(found: readonly Row[], opened: { revision: number; compacted: number }): void {
    const { compacted } = opened;
    assert.ok(
      compacted >= this.#compacted[0] && compacted <= this.#compacted[1],
      `compacted to ${compacted}, not in ${this.#compacted.join("…")}`,
    );
    const revisions = new Set(found.map((row) => row.revision));
    const survivors = this.#doubtful.filter((append) => append.rows.some((row) => revisions.has(row.revision)));
    const expected = compactedRows([...this.#kept, ...survivors.flatMap((append) => append.rows)], compacted);
    assert.deepEqual(
      found.map((row) => row.revision),
      expected.map((row) => row.revision),
    );
    for (const [index, { length, ...row }] of expected.entries()) {
      const { value, ...rest } = found[index]!;
      assert.deepEqual(rest, row);
      assert.ok(valueOf(row.revision, length).equals(value), `the value of revision ${row.revision}`);
    }
    const newest = this.#kept.at(-1)?.revision ?? 0;
    assert.ok(opened.revision >= newest);
  }
}

function compactedRows(rows: readonly SaidRow[], compacted: number): SaidRow[] {
  const superseded = new Set(rows.filter((row) => row.revision <= compacted).map((row) => row.previous));
  return rows.filter((row) => row.revision > compacted || !(row.deleted || superseded.has(row.revision)));
}
