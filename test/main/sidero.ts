/** `bin/sidero` as its users run it: a server on a data directory, commands that end by themselves, and plain requests. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpRequest } from "#io/http.ts";
import { createHttpClient, type HttpClientOptions } from "#io/node/http-client.ts";
import { readKubeconfig } from "#io/node/kubeconfig.ts";
import { SIDERO } from "../peers/locate.ts";
import { start, waitFor, type Child } from "../peers/process.ts";

/** Milliseconds that a start, and a command, may take on a busy machine. */
const PATIENCE = 60_000;
const LISTENERS = {
  "api-address": "127.0.0.1:0",
  "health-addr": "off",
  "diagnostics-address": "off",
  "network-boot": "false",
};

export type Flags = Readonly<Record<string, string>>;

export interface Sidero {
  readonly child: Child;
  readonly kubeconfig: string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Of a test, or of a suite: what is to be done after it, in reverse. */
export interface Context {
  after(action: () => unknown): void;
}

/** A directory that is gone afterwards. */
export async function temporary(context: Context): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-main-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs `sidero up`, not waiting for anything. Every listener but the API's is off unless `flags` say otherwise. */
export function launch(data: string, flags: Flags = {}, env: Record<string, string> = {}): Sidero {
  const args = Object.entries({ data, ...LISTENERS, ...flags }).map(([name, value]) => `--${name}=${value}`);
  const child = start(SIDERO, ["up", ...args], env);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.process.once("close", (code, signal) => resolve(code ?? signal!));
  });
  return { child, kubeconfig: join(data, "kubeconfig"), ended };
}

/** Runs `sidero up` and waits for `ready`; it ends with the test. */
export async function up(context: Context, data: string, flags: Flags = {}): Promise<Sidero> {
  const sidero = launch(data, flags);
  context.after(() => sidero.child.stop("SIGKILL"));
  await untilReady(sidero);
  return sidero;
}

export async function untilReady({ child }: Sidero): Promise<void> {
  await waitFor(child, "sidero up", PATIENCE, () => (/^ready$/m.test(child.log()) ? true : undefined));
}

/** Asks it to end, which it must do well. */
export async function end({ child, ended }: Sidero): Promise<void> {
  child.process.kill("SIGTERM");
  const how = await ended;
  if (how !== 0) throw new Error(`it ended with ${how}\n${child.log()}`);
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(SIDERO, args, { env: { ...process.env, ...env }, timeout: PATIENCE }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

/** Where it serves `what` (`health`, `metrics`), as it has said itself. */
export function urlOf({ child }: Sidero, what: string): string {
  const url = new RegExp(`serving ${what} url=(\\S+)`).exec(child.log())?.[1];
  if (url === undefined) throw new Error(`it does not say where it serves ${what}:\n${child.log()}`);
  return url;
}

/** How an administrator reaches it. */
export async function access({ kubeconfig }: Sidero): Promise<HttpClientOptions> {
  return (await readKubeconfig({ path: kubeconfig })).client;
}

/** One request on a connection of its own; the answer's text. */
export async function ask(
  access: HttpClientOptions,
  target: string,
  request: Partial<HttpRequest> = {},
): Promise<{ status: number; text: string }> {
  const transport = createHttpClient(access);
  try {
    const { status, body } = await transport.request({ method: "GET", target, ...request });
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    return { status, text: Buffer.concat(pieces).toString() };
  } finally {
    await transport.close();
  }
}
