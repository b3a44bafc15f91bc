/** What a report makes of an order: done is what is shown to be done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import { orderAfter } from "./report.ts";
import type { ReportedDisk } from "./report.ts";

const NOW = "2030-01-01T01:00:00Z";
const ORDER: WipeOrder = { id: "w", reason: "r", by: "release", orderedAt: "2030-01-01T00:00:00Z", state: "started" };
const LUN = { name: "sdb", serialNumber: "LUN1", size: 1000, transport: "fc" };

function after(disks: readonly ReportedDisk[], spec: Partial<NonNullable<Server["spec"]>> = {}): string {
  const devices = [{ name: "sda", serialNumber: "A", size: 1000, transport: "sas" }, LUN];
  const server = {
    metadata: { name: "m" },
    spec: { accepted: true, hardware: { storage: { devices } }, ...spec },
  } as unknown as Server;
  const { state, detail = "" } = orderAfter(ORDER, disks, server, NOW);
  return `${state}: ${detail}`;
}

const sda: ReportedDisk = { name: "sda", serial: "A", state: "done", verified: true };
const skipped: ReportedDisk = { name: "sdb", serial: "LUN1", state: "skipped", detail: "it is on a storage network" };

test("a disk on a storage network is decided on by somebody, or the machine is not clean", () => {
  assert.match(after([sda, skipped]), /^failed: sdb: it was left as it was: it is on a storage network/);
  assert.equal(after([sda, skipped], { wipe: { keep: [{ serial: "LUN1" }] } }), "done: ");
  assert.equal(after([sda, skipped], { wipe: { only: [{ serial: "A" }] } }), "done: ");
  assert.match(after([sda, skipped], { wipe: { only: [{ serial: "A" }, { serial: "LUN1" }] } }), /^failed: sdb/);
});

test("a disk that nobody has read back is not erased", () => {
  const only = { wipe: { only: [{ serial: "A" }] } };
  const { verified: _, ...unverified } = sda;
  for (const disk of [unverified, { ...sda, verified: false }]) {
    assert.equal(after([disk, skipped], only), "failed: sda: nobody has read back that it is empty");
  }
});
