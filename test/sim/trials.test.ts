/** Halls of machines by ordeal, seed by seed; `SCALE` and `SEED_BASE` make more of them (`make soak`). A seed that fails tells its story. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTrial } from "../../sim/trial/trial.ts";

const scale = Number(process.env["SCALE"] ?? 1);
const base = Number(process.env["SEED_BASE"] ?? 1);
/** 1,000 seeds of 50 machines when soaked. */
const [seeds, machines] = scale > 1 ? [50 * scale, 50] : [40, 20];
const HOURS = 0.5;

test(`${seeds} halls of ${machines} machines each come to rest, and nothing happens that must not`, async (context) => {
  for (let seed = base; seed < base + seeds; seed++) {
    const { violations, restless, story, hours } = await runTrial({ seed, machines, hours: HOURS });
    const problems = [...violations.map((each) => `must never be: ${each}`), ...restless.map((each) => `not at rest: ${each}`)];
    if (problems.length > 0) {
      const again = `make sim SEEDS=1 MACHINES=${machines} HOURS=${HOURS} SEED_BASE=${seed}`;
      assert.fail(`${story.text()}\n${problems.join("\n")}\nseed ${seed}; once more: ${again}`);
    }
    context.diagnostic(`seed ${seed}: ${hours.toFixed(1)} h`);
  }
});

test("the same seed is the same story", async () => {
  const [one, other] = [
    await runTrial({ seed: 7, machines: 6, hours: 0.3 }),
    await runTrial({ seed: 7, machines: 6, hours: 0.3 }),
  ];
  assert.equal(one.story.text(), other.story.text());
});
