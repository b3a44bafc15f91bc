/** Feeds a parser: first its corpus, then what mutation makes of it. Inputs that reach code that none has reached join the corpus. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Coverage } from "./coverage.ts";
import { Chance, mutate } from "./mutation.ts";
import type { Parser } from "./parser.ts";

export interface Outcome {
  readonly inputs: number;
  /** Inputs that reached something new, the corpus on disk not counted. */
  readonly fresh: number;
  /** Milliseconds of the slowest input. */
  readonly slowest: number;
}

/** Milliseconds and bytes that one input may take: a hundred times what any should, as others use the machine too. */
const MOST_TIME = 250;
const MOST_MEMORY = 64 * 1024 * 1024;
/** Inputs between two looks at the coverage. */
const BATCH = 16;
/** Inputs that are kept in memory to change further, and bytes of one that is kept on disk. */
const MOST_KEPT = 2000;
const LONGEST_KEPT = 2048;

/** `keep`: new inputs are written to the corpus on disk. Rejects with an Error that names the file of the input that failed. */
export async function fuzz(
  parser: Parser,
  options: { readonly rounds: number; readonly seed: number; readonly keep: boolean },
): Promise<Outcome> {
  const { rounds, seed, keep } = options;
  const { words, longest } = parser;
  const chance = new Chance(seed);
  const coverage = new Coverage();
  await coverage.start();
  const corpus = new Corpus(parser, coverage, keep);
  let slowest = 0;
  const run = async (inputs: readonly Uint8Array[]): Promise<void> => {
    for (const input of inputs) slowest = Math.max(slowest, await attempt(parser, input, seed));
  };
  try {
    await run(corpus.inputs);
    await corpus.begin();
    for (let round = 0; round < rounds; round += BATCH) {
      const batch = Array.from({ length: BATCH }, () => mutate(chance, { corpus: corpus.inputs, words, longest }));
      await run(batch);
      await corpus.learn(batch);
    }
  } finally {
    coverage.stop();
  }
  return { inputs: rounds + corpus.inputs.length - corpus.fresh, fresh: corpus.fresh, slowest };
}

/** The inputs to change further: those on disk, the parser's own, and those that have reached something new. */
class Corpus {
  inputs: Uint8Array[];
  fresh = 0;
  readonly #parser: Parser;
  readonly #coverage: Coverage;
  readonly #keep: boolean;
  readonly #known = new Set<string>();

  constructor(parser: Parser, coverage: Coverage, keep: boolean) {
    this.inputs = [...readCorpus(parser.name), ...parser.seeds];
    this.#parser = parser;
    this.#coverage = coverage;
    this.#keep = keep;
  }

  /** Takes what has been reached so far for known. With `keep`, seeds that are not on disk yet are weighed, too. */
  async begin(): Promise<void> {
    for (const block of await this.#coverage.taken()) this.#known.add(block);
    if (!this.#keep) return;
    const all = new Set(this.#known);
    this.#known.clear();
    const inputs = this.inputs;
    this.inputs = [];
    await this.#weigh(inputs, all);
    this.fresh = 0;
  }

  /** The batch has just run. */
  async learn(batch: readonly Uint8Array[]): Promise<void> {
    const news = new Set([...(await this.#coverage.taken())].filter((block) => !this.#known.has(block)));
    if (news.size === 0) return;
    await this.#weigh(batch, news);
    // What only the first of all inputs reaches is no merit of any.
    for (const block of news) this.#known.add(block);
    if (this.inputs.length > MOST_KEPT) this.inputs.splice(0, this.inputs.length - MOST_KEPT);
  }

  async #weigh(inputs: readonly Uint8Array[], news: ReadonlySet<string>): Promise<void> {
    for (const input of inputs) {
      await this.#parser.run(input);
      const reached = [...(await this.#coverage.taken())].filter((block) => news.has(block) && !this.#known.has(block));
      if (reached.length === 0) continue;
      for (const block of reached) this.#known.add(block);
      this.fresh++;
      this.inputs.push(input);
      if (this.#keep && input.length <= LONGEST_KEPT) write(folderOf(this.#parser.name), input);
    }
  }
}

/** Milliseconds it took. */
async function attempt(parser: Parser, input: Uint8Array, seed: number): Promise<number> {
  try {
    const took = await measured(parser, input);
    if (took <= MOST_TIME) return took;
    // Another process may have had the processor: only what is slow each time is slow.
    const again = Math.min(took, await measured(parser, input), await measured(parser, input));
    if (again > MOST_TIME) throw new Error(`it took ${again.toFixed(0)} ms`);
    return again;
  } catch (cause) {
    const path = write(`${tmpdir()}/sidero-fuzz/${parser.name}`, input);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice = `once mended, keep it in ${folderOf(parser.name)}`;
    throw new Error(`${parser.name}: ${reason}\ninput: ${path} (${input.length} bytes, SEED=${seed}); ${advice}`, { cause });
  }
}

async function measured(parser: Parser, input: Uint8Array): Promise<number> {
  const memory = process.memoryUsage();
  const start = performance.now();
  await parser.run(input);
  const took = performance.now() - start;
  const after = process.memoryUsage();
  const grown = after.heapUsed - memory.heapUsed + after.arrayBuffers - memory.arrayBuffers;
  if (grown > MOST_MEMORY) throw new Error(`it took ${(grown / 1e6).toFixed(0)} MB`);
  return took;
}

function folderOf(name: string): string {
  return fileURLToPath(new URL(`corpus/${name}`, import.meta.url));
}

function readCorpus(name: string): Uint8Array[] {
  const folder = folderOf(name);
  return readdirSync(folder)
    .toSorted()
    .map((file) => readFileSync(`${folder}/${file}`));
}

/** Named by its content, as a corpus has no order. */
function write(folder: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${createHash("sha256").update(input).digest("hex").slice(0, 12)}.bin`;
  writeFileSync(path, input);
  return path;
}
