/** Runs `ip`, `wg` and `nft`. What is secret goes by standard input: arguments can be read by everybody. */
import { execFile } from "node:child_process";
import { noTunnel } from "../../tunnel.ts";

/** Milliseconds. */
export const PATIENCE = 10_000;
const MOST_OUTPUT = 16 * 1024 * 1024;
const LONGEST_REASON = 300;
/** Where they are also when a service's PATH does not say so. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** Programs that read files open `/dev/stdin` as one. What this runtime gives them there is a socket, which cannot be opened; a pipe can. */
const PIPED = 'cat | exec "$0" "$@"';

/** Resolves to what it printed; rejects with Fault `io.no-tunnel`. With `input` it finds that in `/dev/stdin`. */
export function run(program: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const [command, all] = input === undefined ? [program, args] : ["/bin/sh", ["-c", PIPED, program, ...args]];
    const options = { timeout: PATIENCE, maxBuffer: MOST_OUTPUT, env: { ...process.env, PATH, LC_ALL: "C" } };
    const child = execFile(command, all, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const why = error.code === "ENOENT" ? "there is no such program" : stderr.trim() || error.message;
      reject(noTunnel(`${program} ${args[0]}: ${why.slice(0, LONGEST_REASON)}`, error));
    });
    // One that ends without reading says so itself.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
