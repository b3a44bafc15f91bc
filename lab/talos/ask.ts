/**
 * Asks a machine's Talos API, for tests in the rack's network and for people: `node lab/talos/ask.ts TALOSCONFIG ADDRESS CALL [JSON]`, a call being one of
 * `src/talos/api.ts`. Writes the answer as JSON, or the fault with exit code 1. `-` for the talosconfig: a machine in maintenance.
 */
import { readFileSync } from "node:fs";
import { dialTalos } from "#main/talos/client.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi } from "#talos/api.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";

const [file = "", address = "", call = "", argument] = process.argv.slice(2);
const api = dialTalos(targetOf());
try {
  const method = api[call as keyof TalosApi] as ((options?: unknown) => Promise<unknown>) | undefined;
  if (method === undefined || call === "close" || call === "events") throw new Error(`there is no call ${call}`);
  const answer = await method(argument === undefined ? undefined : JSON.parse(argument));
  console.log(JSON.stringify(answer ?? null, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
} catch (error) {
  const { code, message } = Fault.from(error);
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
} finally {
  api.close();
}

function targetOf(): Parameters<typeof dialTalos>[0] {
  if (file === "-") return { endpoints: [address], maintenance: true };
  const { ca, client } = parseTalosconfig(readFileSync(file, "utf8"));
  return { endpoints: [address], ca, crt: client.certificate, key: client.key };
}
