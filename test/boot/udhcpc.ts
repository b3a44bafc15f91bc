/** busybox' DHCP client in a network namespace, with what it was told. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import type { Child } from "../peers/process.ts";
import type { Context, Namespace } from "./netns.ts";

/** A directory that is gone afterwards. */
export function folder(context: Context): string {
  const path = mkdtempSync(join(tmpdir(), "sidero-dhcp-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What udhcpc was given, as its script has it in the environment. */
export class Udhcpc {
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #space: Namespace;

  constructor(context: Context, space: Namespace, device: string) {
    const directory = folder(context);
    const script = join(directory, "script");
    this.#file = join(directory, "events");
    // It configures the interface: renewals are sent from the address.
    const lines = [
      "#!/bin/sh",
      `echo "$1 $ip $subnet $router $dns $domain $lease $serverid $siaddr $boot_file" >> ${this.#file}`,
      '[ "$1" = bound ] && ip addr replace $ip/$mask dev $interface && for r in $router; do ip route replace default via $r dev $interface; done',
      "exit 0",
    ];
    writeFileSync(script, `${lines.join("\n")}\n`);
    chmodSync(script, 0o755);
    writeFileSync(this.#file, "");
    this.#space = space;
    this.#args = ["udhcpc", "-f", "-i", device, "-s", script, "-t", "5", "-T", "1", "-n"];
  }

  get events(): string[] {
    return readFileSync(this.#file, "utf8")
      .split("\n")
      .slice(0, -1)
      .filter((line) => !line.startsWith("deconfig"));
  }

  /** Gets a lease and ends. */
  async once(...more: string[]): Promise<string> {
    const output = await this.#space.run("busybox", [...this.#args, "-q", ...more]);
    return this.events.at(-1) ?? output;
  }

  start(context: Context): Child {
    return this.#space.start(context, "busybox", this.#args);
  }

  async until(count: number): Promise<string[]> {
    for (let i = 0; i < 400 && this.events.length < count; i++) await pass(25);
    return this.events;
  }
}
