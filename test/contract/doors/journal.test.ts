/** What every journal does: SQLite's on disk and the one in memory. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import type { Journal, Row } from "#io/journal.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { createJournal } from "#io/node/journal.ts";
import { Fault } from "#std/fault.ts";

/** A journal, and a new one on what the first has left when it is closed. */
interface Twin {
  readonly journal: Journal;
  readonly reopen: () => Promise<Journal>;
}

const twins: Record<string, (context: TestContext) => Promise<Twin>> = {
  node: async (context) => {
    const directory = await mkdtemp(join(tmpdir(), "sidero-journal-"));
    const journals: Journal[] = [];
    const make = (): Journal => {
      const journal = createJournal(directory);
      journals.push(journal);
      return journal;
    };
    context.after(async () => {
      for (const journal of journals) await journal.close();
      await rm(directory, { recursive: true });
    });
    const journal = make();
    return { journal, reopen: async () => (await journal.close(), make()) };
  },
  memory: async () => {
    const journal = new MemoryJournal();
    return { journal, reopen: async () => (await journal.close(), journal.crash()) };
  },
};

function row(revision: number, name: string, options: Partial<Row> = {}): Row {
  const value = new TextEncoder().encode(`{"name":"${name}","revision":${revision}}`);
  return { revision, resource: "/secrets", namespace: "default", name, value, deleted: false, previous: 0, ...options };
}

async function rowsOf(journal: Journal): Promise<Row[]> {
  const rows: Row[] = [];
  await journal.read((some) => rows.push(...some));
  return rows.map((each) => ({ ...each, value: new Uint8Array(each.value) }));
}

async function revisionsOf(journal: Journal): Promise<number[]> {
  return (await rowsOf(journal)).map((each) => each.revision);
}

for (const [name, make] of Object.entries(twins)) {
  describe(`journal: ${name}`, () => {
    test("a new one is empty", async (context) => {
      const { journal } = await make(context);
      assert.deepEqual(await journal.open(), { revision: 0, compacted: 0 });
      assert.deepEqual(await rowsOf(journal), []);
    });

    test("gives back what was appended, in the order of revisions, also when opened again", async (context) => {
      const { journal, reopen } = await make(context);
      await journal.open();
      const rows = [
        row(1, "a"),
        row(2, "é\u0000☃"),
        row(3, "a", { previous: 1, deleted: true }),
        row(5, "b", { resource: "metal.sidero.dev/servers", namespace: "", value: new Uint8Array(0) }),
        row(2 ** 40, "big", { value: new Uint8Array(100_000).fill(7) }),
      ];
      await journal.append(rows.slice(0, 2));
      await journal.append(rows.slice(2));
      assert.deepEqual(await rowsOf(journal), rows);
      const again = await reopen();
      assert.deepEqual(await again.open(), { revision: 2 ** 40, compacted: 0 });
      assert.deepEqual(await rowsOf(again), rows);
    });

    test("values are copied when they are appended from a larger buffer", async (context) => {
      const { journal } = await make(context);
      await journal.open();
      const pool = new Uint8Array(1000).fill(1);
      const value = pool.subarray(10, 20);
      await journal.append([row(1, "a", { value })]);
      assert.equal(value.byteLength, 10, "still the caller's");
      assert.deepEqual((await rowsOf(journal))[0]!.value, new Uint8Array(10).fill(1));
    });

    test("concurrent appends end in the order they were called", async (context) => {
      const { journal, reopen } = await make(context);
      await journal.open();
      const ended: number[] = [];
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => journal.append([row(i + 1, `n${i}`)]).then(() => ended.push(i + 1))),
      );
      const all = Array.from({ length: 200 }, (_, i) => i + 1);
      assert.deepEqual(ended, all);
      assert.deepEqual(await revisionsOf(await reopened(reopen)), all);
    });

    test("an append without rows does nothing", async (context) => {
      const { journal } = await make(context);
      await journal.open();
      await journal.append([]);
      assert.deepEqual(await rowsOf(journal), []);
    });

    test("reads more than fits one message", async (context) => {
      const { journal } = await make(context);
      await journal.open();
      const value = new Uint8Array(50_000).fill(3);
      await journal.append(Array.from({ length: 100 }, (_, i) => row(i + 1, `n${i}`, { value })));
      const rows = await rowsOf(journal);
      assert.equal(rows.length, 100);
      assert.ok(rows.every((each) => each.value.byteLength === 50_000 && each.value[49_999] === 3));
    });

    test("compaction keeps the newest live row of each object, and everything later", async (context) => {
      const { journal, reopen } = await make(context);
      await journal.open();
      await journal.append([
        row(1, "a"),
        row(2, "b"),
        row(3, "a", { previous: 1 }),
        row(4, "c"),
        row(5, "c", { previous: 4, deleted: true }),
        row(6, "a", { previous: 3 }),
        row(7, "c"),
        row(8, "b", { previous: 2, deleted: true }),
      ]);
      await journal.compact(4);
      assert.deepEqual(await revisionsOf(journal), [2, 3, 4, 5, 6, 7, 8]);
      await journal.compact(2);
      await journal.compact(6);
      assert.deepEqual(await revisionsOf(journal), [2, 6, 7, 8]);
      await journal.compact(8);
      assert.deepEqual(await revisionsOf(journal), [6, 7]);
      const again = await reopen();
      assert.deepEqual(await again.open(), { revision: 8, compacted: 8 });
      assert.deepEqual(await revisionsOf(again), [6, 7]);
    });

    test("the highest revision is remembered when its row is compacted away", async (context) => {
      const { journal, reopen } = await make(context);
      await journal.open();
      await journal.append([row(1, "a"), row(9, "a", { previous: 1, deleted: true })]);
      await journal.compact(9);
      assert.deepEqual(await rowsOf(journal), []);
      assert.deepEqual(await (await reopen()).open(), { revision: 9, compacted: 9 });
    });

    test("compaction in many steps, appends going on", async (context) => {
      const { journal } = await make(context);
      await journal.open();
      const count = 5000;
      await journal.append(Array.from({ length: count }, (_, i) => row(i + 1, "a", { previous: i })));
      const compacted = journal.compact(count);
      await journal.append([row(count + 1, "b")]);
      await compacted;
      assert.deepEqual(await revisionsOf(journal), [count, count + 1]);
    });

    test("nothing can be appended to a closed one", async (context) => {
      const { journal } = await make(context);
      await journal.open();
      const last = journal.append([row(1, "a")]);
      await journal.close();
      await last;
      await assert.rejects(journal.append([row(2, "b")]), (fault) => Fault.is(fault, "io.closed"));
      await journal.close();
    });
  });
}

async function reopened(reopen: () => Promise<Journal>): Promise<Journal> {
  const journal = await reopen();
  await journal.open();
  return journal;
}
