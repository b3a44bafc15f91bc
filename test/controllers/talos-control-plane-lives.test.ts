/** Whatever happens to a control plane of 1 to 7 machines, nothing that we do costs etcd its quorum, and nothing brings up a second etcd. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Life } from "./talos/life.ts";

/** Lives; `make soak` has more. */
const LIVES = 1_000 * Number(process.env["ROUNDS"] ?? 1);
const SEED = Number(process.env["SEED"] ?? 0);

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function live(seed: number): Promise<Life> {
  const random = randomOf(seed * 7919 + 1);
  const life = new Life(random, 1 + Math.floor(random() * 7));
  try {
    for (let i = 0; i < 20; i++) {
      if (random() < 0.5) life.happen();
      await life.step();
    }
    life.heal();
    for (let i = 0; i < 200 && !life.isSettled && !life.isForced; i++) {
      life.heal();
      await life.step(1);
    }
    if (!life.isForced)
      assert.ok(
        life.isSettled,
        `never settles: ${JSON.stringify(life.status.waiting)}, last ${life.lastFault}, etcd ${life.talos.etcd.toString()}`,
      );
  } catch (error) {
    const story = life.story.join("\n  ");
    throw new Error(`life ${seed} (SEED=${seed}): ${(error as Error).message}\n  ${story}`, { cause: error });
  }
  return life;
}

test(`${LIVES} lives`, async () => {
  if (SEED > 0) return void (await live(SEED));
  let [calls, forced] = [0, 0];
  for (let seed = 1; seed <= LIVES; seed++) {
    const life = await live(seed);
    calls += life.talos.calls.length;
    forced += Number(life.isForced);
  }
  // A life in which nothing leaves etcd would prove nothing.
  assert.ok(calls > 3 * LIVES, `${calls} calls`);
  assert.ok(forced < LIVES / 2);
});
