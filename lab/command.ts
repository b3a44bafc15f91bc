/** Programs in the lab's network namespaces; they end with the process that started them, even when it is killed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What to run so that `command` is in that namespace and dies with its parent (prctl(2), PR_SET_PDEATHSIG). */
export function inside(namespace: string, command: string, args: readonly string[]): [string, string[]] {
  return ["ip", ["netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", command, ...args]];
}

/** Standard output of a program that ends by itself. Throws with what it said when it fails. */
export async function output(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
      timeout: 60_000,
    });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${command} ${args.join(" ")}: ${stderr?.trim() || message}`, { cause: error });
  }
}

export function ip(...args: string[]): Promise<string> {
  return output("ip", args);
}
