/** A web server of the rack's network that hands out files: systems to boot, and whatever else a test puts there. */
import { fileURLToPath } from "node:url";
import { start, waitFor } from "../test/peers/process.ts";
import { inside } from "./command.ts";
import type { Network } from "./network.ts";

const PROGRAM = fileURLToPath(new URL("file-server.ts", import.meta.url));
const PORT = 80;

export interface Files {
  /** `http://10.77.0.3` */
  readonly url: string;
  /** What has been asked for lately, a line each. */
  log(): string;
  stop(): Promise<void>;
}

/** Serves a directory at address 10.77.0.`host`, a machine of its own. */
export async function serveFiles(network: Network, host: number, directory: string): Promise<Files> {
  const namespace = await network.annex(host);
  const address = `10.77.0.${host}`;
  const child = start(...inside(namespace, process.execPath, [PROGRAM, directory, address, String(PORT)]));
  await waitFor(child, "the file server", 10_000, () => (child.log().includes("listening") ? true : undefined));
  return { url: `http://${address}`, log: child.log, stop: () => child.stop() };
}
