/** Where the benches of network boot run: a folder, programs compiled into it, peers, and networks of their own. */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
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
  /** What to run so that a command is in the servers' network namespace, or in that of DHCP's clients. */
  inside(command: readonly string[], where?: "servers" | "clients"): string[];
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

/**
 * Two network namespaces that have nothing but themselves, so that the ports 67, 69 and 80 are free, with two cables between them: `ours` and
 * `theirs` are the servers' ends, `ours-end` and `theirs-end` the clients'.
 */
function layCables(servers: string, clients: string): void {
  for (const each of [servers, clients]) {
    ip("netns", "add", each);
    process.once("exit", () => ip("netns", "del", each));
  }
  ip("-n", servers, "link", "set", "lo", "up");
  for (const [cable, address] of [
    ["ours", "10.80.0.1/16"],
    ["theirs", "10.81.0.1/16"],
  ] as const) {
    ip("-n", servers, "link", "add", cable, "type", "veth", "peer", "name", `${cable}-end`, "netns", clients);
    ip("-n", servers, "addr", "add", address, "dev", cable);
    ip("-n", servers, "link", "set", cable, "up");
    ip("-n", clients, "link", "set", `${cable}-end`, "up");
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

/** Brings the peers and returns the folder with those that are unpacked. */
export function bringPeers(): string {
  const tools = fileURLToPath(new URL("../../tools/", import.meta.url));
  execFileSync(`${tools}dhcp-peers.sh`, { stdio: ["ignore", "ignore", "pipe"] });
  return execFileSync(`${tools}boot-peers.sh`, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** With `small` everything is run through quickly, to see that it works. */
export function makePlace(peers: string, small: boolean): Place {
  const directory = mkdtempSync(join(tmpdir(), "sidero-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  // dnsmasq and tftpd-hpa serve what everyone may read.
  chmodSync(directory, 0o755);
  const network = `sidero-bench-${process.pid}`;
  layCables(network, `${network}-clients`);
  return {
    directory,
    peers,
    inside: (command, where = "servers") => [
      "ip",
      "netns",
      "exec",
      where === "servers" ? network : `${network}-clients`,
      ...command,
    ],
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
