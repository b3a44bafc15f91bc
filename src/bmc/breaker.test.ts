import assert from "node:assert/strict";
import { test } from "node:test";
import type { Breaker } from "#decide/power.ts";
import { admits, afterFailure, CLOSED, isOfBmc, POLICY, probing } from "./breaker.ts";

const NOW = Date.UTC(2030, 0, 1);

/** What becomes of a breaker that meets these one after the other, each as soon as it lets one through. `chance` 0 is the shortest wait. */
function after(codes: readonly string[], chance = 0): { breaker: Breaker; waits: (number | undefined)[] } {
  let [breaker, now] = [CLOSED, NOW];
  const waits: (number | undefined)[] = [];
  for (const code of codes) {
    breaker = afterFailure(probing(breaker), { code, message: code }, now, chance);
    waits.push(breaker.retryAt === undefined ? undefined : (breaker.retryAt - now) / 1000);
    now = breaker.retryAt ?? now + 1000;
  }
  return { breaker, waits };
}

const repeat = (code: string, times: number): string[] => Array.from({ length: times }, () => code);

test("how long a BMC is left alone", () => {
  const table: [codes: string[], waits: (number | undefined)[]][] = [
    [repeat("bmc.unreachable", 3), [undefined, undefined, 7.5]],
    [repeat("bmc.unreachable", 10), [undefined, undefined, 7.5, 15, 30, 60, 120, 240, 300, 300]],
    [
      ["bmc.unreachable", "bmc.malformed", "bmc.unreachable"],
      [undefined, undefined, 7.5],
    ],
    [["bmc.denied"], [1800]],
    [
      ["bmc.denied", "bmc.denied"],
      [1800, 1800],
    ],
    [
      ["bmc.unreachable", "bmc.denied", "bmc.unreachable"],
      [undefined, 1800, 7.5],
    ],
    [
      ["bmc.no-credentials", "bmc.no-credentials"],
      [7.5, 7.5],
    ],
    [repeat("bmc.busy", 8), [...repeat("", 7).map(() => undefined), 240]],
  ];
  for (const [codes, waits] of table) assert.deepEqual(after(codes).waits, waits, codes.join(" "));
  assert.ok(
    (after(repeat("bmc.unreachable", 40), 0.999).waits.at(-1) ?? 0) <= POLICY.most / 1000,
    "never longer than its longest",
  );
});

test("BMCs that fail together are not tried together", () => {
  const waits = [0, 0.25, 0.5, 0.75].map((chance) => after(repeat("bmc.unreachable", 5), chance).waits.at(-1));
  assert.deepEqual(waits, [30, 37.5, 45, 52.5]);
});

test("it lets nobody through before its time, and then one", () => {
  const { breaker } = after(repeat("bmc.unreachable", 3));
  assert.equal(breaker.state, "open");
  assert.ok(!admits(breaker, breaker.retryAt! - 1));
  assert.ok(admits(breaker, breaker.retryAt!));
  assert.equal(probing(breaker).state, "half-open");
  assert.deepEqual([breaker.failures, breaker.error, breaker.since], [3, "bmc.unreachable", NOW]);
  const again = afterFailure(probing(breaker), { code: "bmc.busy", message: "later" }, NOW + 60_000, 0);
  assert.equal(again.state, "open", "half open, one failure is enough");
  assert.equal(again.since, NOW, "it has failed since the first time");
  assert.ok(admits(CLOSED, NOW));
  assert.equal(probing(CLOSED), CLOSED);
});

test("a BMC that says no is there", () => {
  for (const code of ["bmc.refused", "bmc.unsupported", "bmc.not-verified"]) assert.ok(!isOfBmc(code));
  for (const code of ["bmc.unreachable", "bmc.denied", "bmc.busy", "bmc.malformed", "bmc.no-credentials", "std.unexpected"])
    assert.ok(isOfBmc(code));
});
