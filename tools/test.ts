/**
 * Runs test files: first those that need no machine, as many at a time as there are processors, then those that start machines in QEMU
 * (`test/e2e`), one at a time, as each of them takes all processors. Says at the end what took longest, and `N passed, N failed`.
 *
 *     node tools/test.ts 'src/**\/*.test.ts' …
 */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** Milliseconds after which a file is given up; long proofs that run whole take their time. */
const TIMEOUT = Number(process.env["SCALE"] ?? 1) > 1 ? 14_400_000 : 900_000;
const SLOWEST = 10;

const counts = { passed: 0, failed: 0, seconds: new Map<string, number>() };
const files = [...new Set(process.argv.slice(2).flatMap((pattern) => globSync(pattern).toSorted()))];
const isLab = (file: string): boolean => file.startsWith("test/e2e/");

await pass(
  files.filter((file) => !isLab(file)),
  availableParallelism(),
);
await pass(files.filter(isLab), 1);

const slowest = [...counts.seconds].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
for (const [file, seconds] of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
// None at all is a slip in the patterns.
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function pass(paths: readonly string[], concurrency: number): Promise<void> {
  if (paths.length === 0) return;
  const running = run({ files: [...paths], concurrency, timeout: TIMEOUT });
  running.on("test:summary", ({ file, counts: of, duration_ms }) => {
    if (file !== undefined) counts.seconds.set(relative(".", file), duration_ms / 1000);
    else {
      counts.passed += of.passed;
      counts.failed += of.tests - of.passed - of.skipped - of.todo;
    }
  });
  for await (const text of running.compose(new spec())) process.stdout.write(text as string);
}
