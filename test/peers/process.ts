/** Child processes that end with their test, whatever happens. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

export interface Child {
  readonly process: ChildProcess;
  /** What it wrote to stdout and stderr lately; for error messages. */
  log(): string;
  /** Asks it to end, insists after five seconds, resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const LOG_LIMIT = 64 * 1024;
/** One listener for all that run. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export function start(command: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString("utf8")).slice(-LOG_LIMIT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (error) => keep(Buffer.from(String(error))));
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  const kill = (): void => void child.kill("SIGKILL");
  running.add(child);
  return {
    process: child,
    log: () => log,
    async stop(signal = "SIGTERM") {
      running.delete(child);
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const insist = setTimeout(kill, 5_000);
      await ended;
      clearTimeout(insist);
    },
  };
}

/** Polls until `probe` gives something; throws with the child's log when it ends first or the time is up. */
export async function waitFor<T>(
  child: Child,
  what: string,
  milliseconds: number,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    const code = child.process.exitCode ?? child.process.signalCode;
    if (code !== null || performance.now() > deadline) {
      throw new Error(`${what}: ${code === null ? "timed out" : `ended with ${code}`}\n${child.log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
