/**
 * Every parser of bytes from a network, fed with damage. ROUNDS makes it longer (thousands of inputs for each), SEED repeats a run, KEEP=1
 * adds inputs that reach new code to the corpus.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { codecs } from "./codecs.ts";
import { fuzz } from "./fuzzer.ts";
import { handlers } from "./handlers.ts";
import { Chance, mutate } from "./mutation.ts";
import { latin } from "./parser.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const rounds = Number(process.env["ROUNDS"] ?? "2") * 1000;
const keep = process.env["KEEP"] === "1";

for (const parser of [...codecs, ...handlers]) {
  test(`${parser.name}: whatever comes is read or refused`, { timeout: 3_600_000 }, async (context) => {
    const { inputs, fresh, slowest } = await fuzz(parser, { rounds, seed, keep });
    context.diagnostic(
      `${parser.name}: ${inputs} inputs, ${fresh} reached something new, the slowest took ${slowest.toFixed(1)} ms (SEED=${seed})`,
    );
  });
}

/** A parser with a fault that only a certain length behind a certain word shows. */
test("the fuzzer finds what is wrong, and says with which input", async () => {
  const flawed = {
    name: "tftp",
    seeds: [latin("magic\x04data")],
    words: [latin("magic")],
    longest: 64,
    run(input: Uint8Array) {
      const text = Buffer.from(input).toString("latin1");
      const at = text.indexOf("magic");
      if (at >= 0 && at + 5 < input.length && input[at + 5]! > input.length) throw new Error("read past the end");
    },
  };
  await assert.rejects(
    fuzz(flawed, { rounds: 5000, seed: 1, keep: false }),
    /read past the end\ninput: \/.*\.bin \(\d+ bytes, SEED=1\)/,
  );
  const slow = { ...flawed, run: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300) };
  await assert.rejects(fuzz(slow, { rounds: 1, seed: 1, keep: false }), /it took 3\d\d ms/);
  const greedy = { ...flawed, run: () => void new Uint8Array(100e6).fill(1) };
  await assert.rejects(fuzz(greedy, { rounds: 1, seed: 1, keep: false }), /it took 100 MB/);
});

test("a seed says it all", () => {
  const material = { corpus: [latin("abc"), latin("defgh")], words: [latin("w")], longest: 32 };
  const run = (): string[] => {
    const chance = new Chance(5);
    return Array.from({ length: 200 }, () => Buffer.from(mutate(chance, material)).toString("hex"));
  };
  assert.deepEqual(run(), run());
  assert.ok(new Set(run()).size > 100);
  assert.ok(run().every((input) => input.length <= 64));
});
