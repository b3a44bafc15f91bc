/** Network namespaces with cables between them, and programs in them; all of it is gone after the test. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { start, waitFor } from "../peers/process.ts";
import type { Child } from "../peers/process.ts";

export interface Context {
  after(action: () => unknown): void;
}

let count = 0;

export class Namespace {
  readonly name: string;

  constructor(context: Context) {
    this.name = `dhcp-${process.pid}-${count++}`;
    execFileSync("ip", ["netns", "add", this.name]);
    context.after(() => execFileSync("ip", ["netns", "del", this.name]));
    this.ip("link", "set", "lo", "up");
  }

  ip(...args: string[]): string {
    return execFileSync("ip", ["-n", this.name, ...args], { encoding: "utf8" });
  }

  /** A cable to another namespace; both ends are up when this returns. Addresses are `10.0.0.1/24`. */
  connect(
    device: string,
    addresses: readonly string[],
    other: Namespace,
    otherDevice: string,
    otherAddresses: readonly string[] = [],
  ): void {
    this.ip("link", "add", device, "type", "veth", "peer", "name", otherDevice, "netns", other.name);
    for (const [space, name, list] of [
      [this, device, addresses],
      [other, otherDevice, otherAddresses],
    ] as const) {
      // Addresses are usable at once: nobody else is on the cable.
      for (const address of list) space.ip("addr", "add", address, "dev", name, ...(address.includes(":") ? ["nodad"] : []));
      execFileSync("ip", ["netns", "exec", space.name, "sysctl", "-qw", `net.ipv6.conf.${name}.accept_dad=0`]);
      space.ip("link", "set", name, "up");
    }
    for (const [space, name] of [
      [this, device],
      [other, otherDevice],
    ] as const)
      space.#settle(name);
  }

  /** The kernel gives link-local addresses and routes to groups a moment after the carrier. */
  #settle(device: string): void {
    const deadline = performance.now() + 5000;
    while (!/fe80/.test(this.ip("-6", "addr", "show", "dev", device, "scope", "link", "-tentative"))) {
      if (performance.now() > deadline) throw new Error(`${device} has no link-local address`);
    }
  }

  /** Runs a program to its end and resolves to what it printed lately, on either stream; `timeout` in seconds. */
  async run(program: string, args: readonly string[], timeout = 20): Promise<string> {
    const child = this.#start("timeout", [String(timeout), program, ...args]);
    await once(child.process, "close");
    await child.stop();
    return child.log();
  }

  /** A program that runs until it is stopped, or until after the test. */
  start(context: Context, program: string, args: readonly string[]): Child {
    const child = this.#start(program, args);
    context.after(() => child.stop("SIGKILL"));
    return child;
  }

  /** `ip` becomes the program, so signals reach it. */
  #start(program: string, args: readonly string[]): Child {
    return start("ip", ["netns", "exec", this.name, program, ...args], { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });
  }
}

/** Resolves when the pattern has been printed. */
export async function printed(child: Child, pattern: RegExp): Promise<void> {
  await waitFor(child, String(pattern), 20_000, () => (pattern.test(child.log()) ? true : undefined));
}
