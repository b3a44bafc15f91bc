import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import type { Row } from "#io/journal.ts";
import { silent } from "#io/log.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { LeaseStore } from "./lease-store.ts";

const SUBNETS = readSubnets({ subnets: [{ subnet: "10.0.0.0/24", mode: "server", pools: ["10.0.0.50-10.0.0.99"] }] });
const CLIENT = { key: "mac 52:54:00:00:00:01", mac: "52:54:00:00:00:01", uuids: [] };
const HOUR = 3_600_000;

async function opened(journal: MemoryJournal, clock: VirtualClock): Promise<LeaseStore> {
  const store = new LeaseStore({ subnets: SUBNETS, journal, clock, log: silent });
  await store.open();
  return store;
}

async function rows(journal: MemoryJournal): Promise<Row[]> {
  const found: Row[] = [];
  await journal.read((some) => found.push(...some));
  return found;
}

test("the newest lease of an address is there after a crash, and revisions go on", async () => {
  const [journal, clock] = [new MemoryJournal(), new VirtualClock()];
  const store = await opened(journal, clock);
  const leases = store.leasesOf(SUBNETS[0]!);
  for (const at of [0, 1, 2]) await store.store(leases.bind(CLIENT, "10.0.0.50", clock.now() + at, HOUR));
  const again = journal.crash();
  const restarted = await opened(again, clock);
  assert.deepEqual([...restarted.leasesOf(SUBNETS[0]!).all()], [...leases.all()]);
  assert.deepEqual(restarted.counts(), { "10.0.0.0/24": 1 });
  await restarted.store(restarted.leasesOf(SUBNETS[0]!).bind(CLIENT, "10.0.0.50", clock.now() + 3, HOUR));
  assert.deepEqual(
    (await rows(again)).map(({ revision, previous }) => [revision, previous]),
    [
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
    ],
  );
});

test("leases long expired are forgotten, also on the disk; others stay", async () => {
  const [journal, clock] = [new MemoryJournal(), new VirtualClock()];
  const store = await opened(journal, clock);
  const leases = store.leasesOf(SUBNETS[0]!);
  await store.store(leases.bind(CLIENT, "10.0.0.50", clock.now(), HOUR));
  await store.store(leases.bind({ ...CLIENT, key: "mac 52:54:00:00:00:02" }, "10.0.0.51", clock.now(), 9 * 24 * HOUR));
  await clock.advance(2 * HOUR);
  assert.deepEqual([store.at("10.0.0.50"), leases.at("10.0.0.50")?.state, (await rows(journal)).length], [undefined, "bound", 2]);
  await clock.advance(8 * 24 * HOUR);
  assert.deepEqual(
    (await rows(journal)).map(({ name }) => name),
    ["10.0.0.51"],
  );
  assert.deepEqual([leases.at("10.0.0.50"), store.at("10.0.0.51")?.state], [undefined, "bound"]);
  await store.close();
  assert.equal(clock.pending, 0);
});

test("a lease of a subnet that is no longer in the file is passed over", async () => {
  const [journal, clock] = [new MemoryJournal(), new VirtualClock()];
  const store = await opened(journal, clock);
  await store.store(store.leasesOf(SUBNETS[0]!).bind(CLIENT, "10.0.0.50", clock.now(), HOUR));
  const other = readSubnets({ subnets: [{ subnet: "10.1.0.0/24", mode: "server", pools: ["10.1.0.50"] }] });
  const changed = new LeaseStore({ subnets: other, journal: journal.crash(), clock, log: silent });
  await changed.open();
  assert.deepEqual(changed.counts(), { "10.1.0.0/24": 0 });
});
