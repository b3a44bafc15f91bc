/** Which blocks of our sources have run, as V8 counts them: an input that reaches a new one is worth changing further. */
import { Session } from "node:inspector/promises";

const OURS = new URL("../../src/", import.meta.url).href;

export class Coverage {
  readonly #session = new Session();
  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Blocks that have run since the last time. */
  async taken(): Promise<Set<string>> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const blocks = new Set<string>();
    for (const { url, functions } of result) {
      if (!url.startsWith(OURS)) continue;
      for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
        if (count > 0) blocks.add(`${url}:${startOffset}-${endOffset}`);
      }
    }
    return blocks;
  }

  stop(): void {
    this.#session.disconnect();
  }
}
