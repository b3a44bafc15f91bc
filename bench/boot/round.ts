/** Rounds of the same work on several servers, in turn. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Place } from "./place.ts";
import type { Server } from "./server.ts";

/** Series of figures by what they are of; `cpu` is the milliseconds of CPU time that the server took for the round. */
export type Series = Readonly<Record<string, readonly number[]>>;

/**
 * What the load generator printed for each server, a round after the other, after one that does not count as it compiles the code; who is first changes, so that no one always finds the machine as
 * the same other left it.
 */
export async function rounds(
  place: Place,
  servers: readonly Server[],
  command: (server: Server) => readonly string[],
  where?: "servers" | "clients",
): Promise<Series[]> {
  const series = servers.map((): Record<string, number[]> => ({}));
  for (let round = -1; round < place.rounds; round++) {
    for (let i = 0; i < servers.length; i++) {
      const at = (i + round + 1) % servers.length;
      const server = servers[at]!;
      const before = server.cpu;
      const [program, ...args] = place.inside(command(server), where);
      const { stdout } = await promisify(execFile)(program!, args, { timeout: 300_000 });
      const figures = { ...(JSON.parse(stdout) as Record<string, number>), cpu: server.cpu - before };
      if (round < 0) continue;
      for (const [name, value] of Object.entries(figures)) (series[at]![name] ??= []).push(value);
    }
  }
  return series;
}

/** Each of `a` divided by the same of `b`, times `factor`. */
export function quotients(series: Series, a: string, b: string, factor: number): number[] {
  return series[a]!.map((value, i) => (factor * value) / series[b]![i]!);
}

/** Throws unless nothing failed. */
export function expectAll(servers: readonly Server[], series: readonly Series[]): void {
  series.forEach(({ failed }, i) => {
    const count = failed!.reduce((sum, each) => sum + each, 0);
    if (count > 0) throw new Error(`${servers[i]!.name}: ${count} failed`);
  });
}
