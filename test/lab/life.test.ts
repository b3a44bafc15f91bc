import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { headline, momentOf } from "../../lab/life.ts";

const at = "2026-01-01T00:00:00Z";
const order = { id: "1", reason: "accepted", by: "acceptance", orderedAt: at } as const;
const server = (status: Server["status"]): Server => ({ metadata: { name: "m" }, status }) as Server;

test("a Server in a line", () => {
  assert.equal(headline(momentOf(server(undefined))), "new, unknown");
  const waiting = { reason: "AgentBooting", waitingFor: "its agent to boot", since: at };
  assert.equal(headline(momentOf(server({ phase: "Wiping", power: "on", waiting }))), "Wiping, on: waits for its agent to boot");
  const disks = [
    { name: "sda", state: "wiping", method: "discard", percent: 40 },
    { name: "sdb", state: "done", method: "zeroes" },
  ] as const;
  const wiping = momentOf(server({ phase: "Wiping", power: "on", wipe: { ...order, state: "started", disks: [...disks] } }));
  assert.equal(wiping.text, "sda discard 40 %, sdb zeroes done");
  assert.equal(headline(wiping), "Wiping, on: sda discard, sdb zeroes done", "percentages are no news");
});

test("at rest: clean, off, and nothing is waited for", () => {
  const rest = { phase: "Available", power: "off", isClean: true } as const;
  const isAtRest = (status: Server["status"]): boolean => momentOf(server(status)).isAtRest;
  assert.ok(isAtRest(rest));
  assert.ok(!isAtRest({ ...rest, power: "on" }));
  assert.ok(!isAtRest({ ...rest, isClean: false }));
  assert.ok(!isAtRest({ ...rest, phase: "Wiping" }));
  assert.ok(!isAtRest({ ...rest, waiting: { reason: "PowerOff", waitingFor: "its BMC", since: at } }));
});
