/** Objects as kubectl sees them change. */
import { createInterface } from "node:readline";
import type { Sidero } from "./sidero.ts";

export interface Watch {
  stop(): Promise<void>;
}

/** Calls `see` with every object of a resource (`servers.metal.sidero.dev`) that there is, and with each as it changes, until `stop`. */
export function watch<T>(sidero: Sidero, resource: string, see: (object: T) => void): Watch {
  const child = sidero.follow("get", resource, "--watch", "--output-watch-events", "--output=json");
  createInterface({ input: child.process.stdout! }).on("line", (line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: T };
    if (type !== "DELETED") see(object);
  });
  return { stop: () => child.stop() };
}
