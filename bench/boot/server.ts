/** The servers under test, ours and others, each a process with its books. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Account } from "./account.ts";
import type { Place } from "./place.ts";

export interface Server {
  readonly name: string;
  /** Where it listens: each server has an address of its own, as not all of them can be given a port. */
  readonly address: string;
  /** Milliseconds of CPU time so far. */
  readonly cpu: number;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly address: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A line of its output that says it serves; absent: a moment after its start. */
  readonly ready?: string;
}

export async function startServer(place: Place, { name, address, command, env, ready }: ServerOptions): Promise<Server> {
  const account = new Account(name);
  const log = join(place.directory, `${name}.log`);
  const stdio = ["ignore", "pipe", openSync(log, "a")] as const;
  const child = spawn(...account.command(place.inside(command)), {
    env: { ...process.env, ...env },
    stdio: [...stdio],
    detached: true,
  });
  await once(child, "spawn");
  const kill = (): void => void process.kill(-child.pid!, "SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "exit").then(() => process.removeListener("exit", kill));
  const failed = exited.then(() => {
    throw new Error(`${name} ended before it served:\n${readFileSync(log, "utf8").slice(-2000)}`);
  });
  failed.catch(() => {});
  await Promise.race([ready === undefined ? new Promise((resolve) => setTimeout(resolve, 500)) : said(child, ready), failed]);
  child.stdout!.resume();
  return {
    name,
    address,
    get cpu() {
      return account.cpu;
    },
    async close() {
      // Those that it started are of its group.
      process.kill(-child.pid!, "SIGTERM");
      await exited;
      await new Promise((resolve) => setTimeout(resolve, 200));
      account.close();
    },
  };
}

function said(child: ChildProcess, line: string): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.split("\n").includes(line)) resolve();
    });
  });
}
