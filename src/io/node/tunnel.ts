/** WireGuard by the kernel, or by `wireguard-go` where the kernel has none; driven with `ip` and `wg`. Keys go by standard input: arguments can be read by everybody. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "#std/fault.ts";
import type { OpenTunnel, Tunnel, TunnelOptions, TunnelPeer } from "../tunnel.ts";

const PATIENCE = 10_000;
const MOST_OUTPUT = 16 * 1024 * 1024;
/** Where wireguard-go listens once its interface is there (`wg(8)`). */
const CONTROL = (name: string): string => `/var/run/wireguard/${name}.sock`;

export const openTunnel: OpenTunnel = async (options) => {
  const { name, address, prefixLength, mtu } = options;
  const userspace = await addInterface(name);
  try {
    await configure(options, []);
    await run("ip", ["address", "replace", `${address}/${prefixLength}`, "dev", name, "nodad"]);
    await run("ip", ["link", "set", name, "mtu", String(mtu), "up"]);
    // No machine reaches another through us, whatever this host forwards otherwise.
    await writeFile(`/proc/sys/net/ipv6/conf/${name}/forwarding`, "0").catch(() => {});
  } catch (error) {
    await removeInterface(name, userspace);
    throw error;
  }
  const tunnel: Tunnel = {
    by: userspace === undefined ? "kernel" : "wireguard-go",
    setPeers: (peers) => configure(options, peers),
    async handshakes() {
      const text = await run("wg", ["show", name, "latest-handshakes"]);
      const pairs = text.split("\n").flatMap((line) => {
        const [key = "", seconds = "0"] = line.split("\t");
        return Number(seconds) > 0 ? [[key, Number(seconds) * 1000] as const] : [];
      });
      return new Map(pairs);
    },
    close: () => removeInterface(name, userspace),
  };
  return tunnel;
};

/** The process that is the interface; undefined when the kernel is it. One that an earlier process left behind is replaced: it had other peers. */
async function addInterface(name: string): Promise<ChildProcess | undefined> {
  await run("ip", ["link", "delete", name]).catch(() => {});
  const kernel = await run("ip", ["link", "add", name, "type", "wireguard"]).then(
    () => undefined,
    (error: unknown) => Fault.from(error),
  );
  if (kernel === undefined) return undefined;
  const child = spawn("wireguard-go", ["-f", name], { stdio: "ignore", env: { ...process.env, WG_PROCESS_FOREGROUND: "1" } });
  const failed = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code) => resolve(`it ended with ${code}`));
  });
  for (let waited = 0; waited < PATIENCE && !existsSync(CONTROL(name)); waited += 50) {
    const problem = await Promise.race([failed, wait(50)]);
    if (typeof problem === "string") throw noTunnel(`${kernel.message}; wireguard-go: ${problem}`);
  }
  return child;
}

async function removeInterface(name: string, userspace: ChildProcess | undefined): Promise<void> {
  if (userspace === undefined) return void (await run("ip", ["link", "delete", name]).catch(() => {}));
  if (userspace.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => userspace.once("exit", () => resolve()));
  userspace.kill("SIGTERM");
  await ended;
}

/** The whole configuration: what is not in it goes, and what is the same goes on. */
async function configure({ name, privateKey, port }: TunnelOptions, peers: readonly TunnelPeer[]): Promise<void> {
  const lines = ["[Interface]", `PrivateKey = ${privateKey}`, `ListenPort = ${port}`];
  for (const { publicKey, address } of peers) lines.push("[Peer]", `PublicKey = ${publicKey}`, `AllowedIPs = ${address}/128`);
  await run("wg", ["syncconf", name, "/dev/stdin"], `${lines.join("\n")}\n`);
}

function run(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: PATIENCE, maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const why =
        (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such program" : stderr.trim() || error.message;
      reject(noTunnel(`${program} ${args[0]}: ${why.slice(0, 200)}`, error));
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function noTunnel(message: string, cause?: unknown): Fault {
  return new Fault("io.no-tunnel", message, { fault: "world", retry: "later", ...(cause === undefined ? {} : { cause }) });
}
