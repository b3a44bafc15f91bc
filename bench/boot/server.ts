/** The servers under test, ours and others, each a process with its books. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Account } from "./account.ts";

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

export async function startServer({ name, address, command, env, ready }: ServerOptions): Promise<Server> {
  const account = new Account(name);
  const [program, ...args] = command;
  const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"], detached: true });
  await once(child, "spawn");
  account.add(child.pid!);
  const exited = once(child, "exit");
  const failed = exited.then(() => {
    throw new Error(`${name} ended before it served`);
  });
  failed.catch(() => {});
  await Promise.race([ready === undefined ? new Promise((resolve) => setTimeout(resolve, 500)) : said(child, ready), failed]);
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
      await new Promise((resolve) => setTimeout(resolve, 100));
      account.close();
    },
  };
}

async function said(child: ChildProcess, line: string): Promise<void> {
  for await (const chunk of child.stdout!.setEncoding("utf8")) if ((chunk as string).includes(line)) return;
}
