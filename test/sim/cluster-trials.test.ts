/** Clusters of 1 to 7 control plane machines by ordeal, seed by seed; `SCALE` and `SEED_BASE` make more of them (`make soak`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runClusterTrial } from "../../sim/trial/cluster-trial.ts";

const scale = Number(process.env["SCALE"] ?? 1);
const base = Number(process.env["SEED_BASE"] ?? 1);
/** 500 seeds when soaked. */
const seeds = scale > 1 ? 25 * scale : 20;
const MINUTES = scale > 1 ? 40 : 12;

test(`${seeds} clusters become what is wanted, and nothing happens that must not`, async (context) => {
  for (let seed = base; seed < base + seeds; seed++) {
    const { violations, unsettled, story, hours, deeds, last } = await runClusterTrial({ seed, minutes: MINUTES });
    const problems = [
      ...violations.map((each) => `must never be: ${each}`),
      ...unsettled.map((each) => `not as wanted: ${each}`),
    ];
    if (problems.length > 0)
      assert.fail([story.text(), ...last, `asked for: ${deeds.join("; ")}`, ...problems, `seed ${seed}`].join("\n"));
    context.diagnostic(`seed ${seed}: ${hours.toFixed(1)} h; ${deeds.join("; ")}`);
  }
});
