/** Machines with WireGuard of their own, each in a network namespace with a cable to Sidero's: `wireguard-go`, `wg` and `ip`, as Talos would set it up. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { systemEntropy } from "#io/node/entropy.ts";
import { wireguardKeys } from "#io/node/wireguard-keys.ts";
import type { TunnelOptions, TunnelPeer, WireguardKeys } from "#io/tunnel.ts";
import { Namespace } from "../boot/netns.ts";
import type { Context } from "../boot/netns.ts";

const HOST = fileURLToPath(new URL("tunnel-host.ts", import.meta.url));
const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;
const PORT = 51821;
/** The network of the empty installation. */
export const SERVER = "fdae:41e4:649b:9303::1";
export const addressOf = (number: number): string => `fdae:41e4:649b:9303::1:${number.toString(16)}`;

export const freshKeys = (): WireguardKeys => wireguardKeys(systemEntropy.bytes(32));

/** Names of interfaces: their control sockets are in one directory, whatever the namespace. */
let count = 0;
const deviceName = (): string => `wg${process.pid % 100_000}-${count++}`;

/** Our door in a process, spoken to in JSON lines. */
export class Server {
  readonly namespace: Namespace;
  readonly device = deviceName();
  readonly keys = freshKeys();
  #child!: ChildProcessByStdio<Writable, Readable, null>;
  #lines!: AsyncIterableIterator<string>;

  constructor(context: Context) {
    this.namespace = new Namespace(context);
  }

  /** Resolves to the first line that it says. */
  async start(
    context: Context,
    options: Partial<TunnelOptions> = {},
    prefix: readonly string[] = [],
  ): Promise<Record<string, unknown>> {
    const all = {
      name: this.device,
      privateKey: this.keys.privateKey,
      address: SERVER,
      prefixLength: 64,
      port: PORT,
      mtu: 1280,
      ...options,
    };
    const args = ["netns", "exec", this.namespace.name, ...prefix, process.execPath, HOST, JSON.stringify(all)];
    this.#child = spawn("ip", args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, PATH } });
    context.after(() => this.stop());
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    return this.next();
  }

  async next(): Promise<Record<string, unknown>> {
    const { value } = (await this.#lines.next()) as { value?: string };
    return JSON.parse(value ?? '{"ended":true}') as Record<string, unknown>;
  }

  ask(command: { readonly peers?: readonly TunnelPeer[] }): Promise<Record<string, unknown>> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.next();
  }

  kill(): Promise<void> {
    return this.#end(() => this.#child.kill("SIGKILL"));
  }

  /** In good order. */
  stop(): Promise<void> {
    return this.#end(() => this.#child.stdin.end());
  }

  /** What a command in the namespace prints. */
  run(program: string, ...args: string[]): string {
    return inside(this.namespace, program, args);
  }

  async #end(how: () => void): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
    how();
    await ended;
  }
}

export class Machine {
  readonly namespace: Namespace;
  readonly device = deviceName();
  readonly keys: WireguardKeys;
  readonly address: string;
  /** The server's, on the cable. */
  readonly outside: string;

  /** `number` from 1 on. */
  constructor(context: Context, server: Namespace, number: number, keys = freshKeys()) {
    this.namespace = new Namespace(context);
    this.keys = keys;
    this.address = addressOf(number);
    this.outside = `10.99.${number}.1`;
    server.connect(`c${number}`, [`${this.outside}/24`], this.namespace, "eth0", [`10.99.${number}.2/24`]);
  }

  /** `allowed`: what it sends into the tunnel. */
  async join(
    context: Context,
    serverKey: string,
    { endpoint = `${this.outside}:${PORT}`, allowed = "::/0" } = {},
  ): Promise<void> {
    const { device } = this;
    this.namespace.start(context, "wireguard-go", ["-f", device]);
    while (!existsSync(`/var/run/wireguard/${device}.sock`)) await new Promise((resolve) => setTimeout(resolve, 20));
    const lines = [
      "[Interface]",
      `PrivateKey = ${this.keys.privateKey}`,
      "[Peer]",
      `PublicKey = ${serverKey}`,
      `Endpoint = ${endpoint}`,
    ];
    const config = [...lines, `AllowedIPs = ${allowed}`, "PersistentKeepalive = 25", ""].join("\n");
    const set = ["-c", `cat | exec wg setconf ${device} /dev/stdin`];
    execFileSync("ip", ["netns", "exec", this.namespace.name, "sh", ...set], { input: config });
    this.namespace.ip("addr", "add", `${this.address}/64`, "dev", device, "nodad");
    this.namespace.ip("link", "set", device, "mtu", "1280", "up");
  }

  /** Whether an address answers within a second or so. */
  reaches(address: string, options: readonly string[] = []): boolean {
    return succeeds(this.namespace, "ping", ["-6", "-n", "-c", "3", "-i", "0.2", "-w", "8", ...options, address]);
  }

  run(program: string, ...args: string[]): string {
    return inside(this.namespace, program, args);
  }
}

export function succeeds(namespace: Namespace, program: string, args: readonly string[]): boolean {
  try {
    inside(namespace, program, args);
    return true;
  } catch {
    return false;
  }
}

function inside(namespace: Namespace, program: string, args: readonly string[]): string {
  return execFileSync("ip", ["netns", "exec", namespace.name, program, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH },
  });
}
