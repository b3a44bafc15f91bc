/** How Talos gets its configuration where its disk has none: `talos.config`, again and again (facts §6.2). */
import type { Body } from "./body.ts";
import { checkConfig } from "./check.ts";
import type { MachineFacts } from "./facts.ts";

/** Milliseconds: what pauses are counted in, and until they begin anew. */
const UNIT = 1_000;
const LONGEST = 3 * 3_600_000;

/**
 * `${uuid}` and the others stand in the query; a parameter `uuid` without a value is the old way to say the same. The query is written
 * anew, its keys in order.
 */
export function resolveUrl(
  template: string,
  { uuid, serial, mac }: Pick<Body, "uuid" | "serial" | "mac">,
  hostname: string,
): URL {
  const variables: Readonly<Record<string, string>> = { uuid, serial, mac, hostname };
  const url = new URL(template);
  const filled = [...url.searchParams].map(([key, value]) => {
    if (key === "uuid" && value === "") return [key, uuid];
    return [key, value.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole)];
  });
  const query = new URLSearchParams(filled);
  query.sort();
  url.search = query.toString();
  return url;
}

export interface Acquired {
  readonly text: string;
  readonly facts: MachineFacts;
}

export type Failed = (kind: "load" | "validation", problem: string) => void;

/** For ever: 1 s after the first failure, then 3, 7, 15 …, with a second of chance; after three hours from the beginning again. */
export async function acquire(body: Body, template: string, chance: () => number, failed: Failed): Promise<Acquired> {
  const { life } = body;
  for (let began = life.monotonic(), tries = 1; ; tries++) {
    const found = await attempt(body, template, failed);
    if (found !== undefined) return found;
    if (life.monotonic() - began > LONGEST) [began, tries] = [life.monotonic(), 1];
    await life.sleep((2 ** tries - 1) * UNIT + chance() * UNIT);
  }
}

async function attempt(body: Body, template: string, failed: Failed): Promise<Acquired | undefined> {
  const no = (kind: "load" | "validation", problem: string): undefined => {
    failed(kind, problem);
    return undefined;
  };
  if (!URL.canParse(template)) return no("load", "the address of the configuration is no URL");
  const bytes = await body.fetch(resolveUrl(template, body, ""));
  if (bytes === undefined || bytes.length === 0) return no("load", "failed to download config");
  const text = Buffer.from(bytes).toString("utf8");
  try {
    const facts = checkConfig(text);
    return facts === undefined ? no("validation", "the configuration has no machine section") : { text, facts };
  } catch (error) {
    return no("validation", (error as Error).message);
  }
}
