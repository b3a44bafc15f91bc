/**
 * Clusters of 1 to 7 control plane machines by ordeal, seed by seed. `make soak` (`SCALE`) goes through 500 of them, each with 40 minutes of trouble, some at a time in a
 * process of its own: what a simulated process held when it died is never let go. `SEEDS`, `SEED_BASE` and `MINUTES` choose others.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { runClusterTrial } from "../../sim/trial/cluster-trial.ts";

const given = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const scale = given("SCALE", 1);
const base = given("SEED_BASE", 1);
const seeds = given("SEEDS", scale > 1 ? 25 * scale : 20);
const minutes = given("MINUTES", scale > 1 ? 40 : 12);
const CHUNK = 25;

if (seeds <= CHUNK)
  test(`${seeds} clusters become what is wanted, and nothing happens that must not`, async (context) => {
    for (let seed = base; seed < base + seeds; seed++) {
      const { violations, unsettled, story, hours, deeds, last } = await runClusterTrial({ seed, minutes });
      const problems = [
        ...violations.map((each) => `must never be: ${each}`),
        ...unsettled.map((each) => `not as wanted: ${each}`),
      ];
      if (problems.length > 0)
        assert.fail([story.text(), ...last, `asked for: ${deeds.join("; ")}`, ...problems, `seed ${seed}`].join("\n"));
      context.diagnostic(`seed ${seed}: ${hours.toFixed(1)} h; ${deeds.join("; ")}`);
    }
  });
else
  for (let from = base; from < base + seeds; from += CHUNK) {
    const count = Math.min(CHUNK, base + seeds - from);
    test(`clusters of the seeds ${from} to ${from + count - 1}`, async () => {
      const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
      const env = { ...inherited, SEED_BASE: `${from}`, SEEDS: `${count}`, MINUTES: `${minutes}` };
      const child = Promise.withResolvers<void>();
      execFile(process.execPath, [fileURLToPath(import.meta.url)], { env, maxBuffer: 2 ** 28 }, (error, stdout) =>
        error === null ? child.resolve() : child.reject(new Error(stdout.slice(-100_000), { cause: error })),
      );
      await child.promise;
    });
  }
