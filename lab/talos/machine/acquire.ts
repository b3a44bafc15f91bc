/** Where a machine gets its configuration from when its disk has none (facts §6.2). */
import { gunzipSync } from "node:zlib";
import { setTimeout } from "node:timers/promises";
import type { Say } from "./console.ts";
import { problemOf } from "./console.ts";

export interface Variables {
  readonly uuid: string;
  readonly serial: string;
  readonly mac: string;
  readonly hostname: string;
}

const ATTEMPT = 180_000;
const LONGEST = 1024 * 1024;

/**
 * `${uuid}` and the others stand in the query; a parameter `uuid` without a value is the old way to say the same. The query is written anew, its
 * keys in order.
 */
export function resolveUrl(template: string, variables: Variables): string {
  const url = new URL(template);
  const query = new URLSearchParams(url.search);
  const filled = [...query].map(([key, value]): [string, string] => {
    if (key === "uuid" && value === "") return [key, variables.uuid];
    return [key, value.replaceAll(/\$\{(uuid|serial|mac|hostname)\}/g, (_, name: keyof Variables) => variables[name])];
  });
  const written = new URLSearchParams(filled);
  written.sort();
  url.search = written.toString();
  return url.toString();
}

export interface Acquired {
  readonly text: string;
  /** Undefined: there is none to be had (204). */
  readonly isEmpty: boolean;
}

/** Once. Throws for anything but an answer with 200 or 204: 404 is no exception on metal. */
export async function download(url: string): Promise<Acquired> {
  const { protocol } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") throw new Error(`the stand-in knows no ${protocol} for its configuration`);
  const response = await fetch(url, { signal: AbortSignal.timeout(ATTEMPT), redirect: "follow" });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 204) return { text: "", isEmpty: true };
  if (response.status !== 200) throw new Error(`failed to download config: ${response.status}: ${bytes.toString("utf8", 0, 32)}`);
  // By content: nobody says that it is compressed.
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? gunzipSync(bytes, { maxOutputLength: LONGEST }) : bytes;
  if (plain.length === 0) throw new Error("failed to download config: the answer is empty");
  return { text: plain.toString("utf8"), isEmpty: false };
}

export interface Retries {
  readonly say: Say;
  /** Told of each failure. */
  failed(problem: string): void;
  /** Milliseconds, at most, between two attempts. */
  readonly most?: number;
}

/** Until `attempt` has it, for ever: 1 s after the first failure, 3, 7, 15…, with a second of chance; after three hours from the beginning again. */
export async function retried<T>(attempt: () => Promise<T>, { say, failed, most = Infinity }: Retries): Promise<T> {
  for (let began = performance.now(), tries = 2; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const problem = problemOf(error);
      failed(problem);
      if (performance.now() - began > 3 * 3_600_000) [began, tries] = [performance.now(), 2];
      const pause = Math.min(Math.floor((2 ** tries - 1) / 2) * 1000, most) + Math.random() * 1000;
      say(`${problem}; trying again in ${(pause / 1000).toFixed(1)} s`);
      await setTimeout(pause);
    }
  }
}
