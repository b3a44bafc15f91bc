/** Where the benches of network boot run: a folder, programs compiled into it, peers, and a network of their own. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface Place {
  readonly directory: string;
  /** Folder of Debian's packages of the peers, unpacked. */
  readonly peers: string;
  /** With which they find their libraries. */
  readonly peerEnvironment: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Part of the usual amount of work. */
  readonly share: number;
  /** Path of a C program of this folder. */
  compile(source: string): Promise<string>;
}

/** Path of a file of this folder. */
export function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

const INSIDE = "SIDERO_BENCH_NETWORK";

/**
 * Runs the program again in a network namespace that has nothing but itself, where the ports 67, 69 and 80 are free, and ends
 * with it; returns at once inside.
 */
export function enterNetwork(): void {
  if (process.env[INSIDE] === "1") return;
  // tftpd-hpa does not believe in addresses while there are none but the loopback interface's.
  const bridge = "ip link add br0 type bridge && ip addr add 10.77.0.1/24 dev br0 && ip link set br0 up";
  const script = `ip link set lo up && ${bridge} && exec "$0" "$@"`;
  const args = ["--net", "sh", "-c", script, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", args, { stdio: "inherit", env: { ...process.env, [INSIDE]: "1" } });
  process.exit(status ?? 1);
}

/** Brings the peers (before the network is left behind). */
export function bringPeers(): string {
  const tools = fileURLToPath(new URL("../../tools/", import.meta.url));
  execFileSync(`${tools}dhcp-peers.sh`, { stdio: ["ignore", "ignore", "pipe"] });
  return execFileSync(`${tools}boot-peers.sh`, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** With `small` everything is run through quickly, to see that it works. */
export function makePlace(peers: string, small: boolean): Place {
  const directory = mkdtempSync(join(tmpdir(), "sidero-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    peers,
    peerEnvironment: { LD_LIBRARY_PATH: `${peers}/usr/lib/x86_64-linux-gnu:${peers}/usr/lib/aarch64-linux-gnu` },
    rounds: small ? 1 : 3,
    share: small ? 0.1 : 1,
    async compile(source) {
      const target = join(directory, source.replace(/\.c$/, ""));
      await promisify(execFile)("cc", ["-O2", "-Wall", "-o", target, program(source)]);
      return target;
    },
  };
}
