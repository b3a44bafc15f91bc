/** The doors of commands that ask the API: a client of the API, the terminal and the clock. */
import { join } from "node:path";
import { styleText } from "node:util";
import type { OpenTerminal } from "#cli/terminal.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { disk } from "#io/node/disk.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { readKubeconfig } from "#io/node/kubeconfig.ts";
import { parseJson, readWhole } from "#kube/body.ts";
import { createClient } from "#kube/client.ts";
import { isStatus } from "#kube/exchange.ts";
import { faultOf } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { VERSION } from "./version.ts";

/** `data`: the data directory of a Sidero on this machine, whose kubeconfig is taken when nothing else is named. */
export async function openTerminal(data: string, kubeconfig: string | undefined): ReturnType<OpenTerminal> {
  const path = kubeconfig ?? (await defaultKubeconfig(data));
  const access = await readKubeconfig(path === undefined ? {} : { path });
  const transport = createHttpClient(access.client);
  return {
    terminal: {
      client: createClient({ transport, clock, entropy, userAgent: `sidero-cli/${VERSION}` }),
      print: (line) => console.log(line),
      style: (how, text) => styleText(how, text, { stream: process.stdout }),
      now: () => clock.now(),
    },
    close: () => transport.close(),
  };
}

/** Bytes of a refusal that are read. */
const LONGEST_REFUSAL = 64 * 1024;

/** What the API answers to a GET, as it comes; rejects with the Fault of its Status. */
export async function* openStream(
  data: string,
  kubeconfig: string | undefined,
  target: string,
): AsyncGenerator<Uint8Array, void> {
  const path = kubeconfig ?? (await defaultKubeconfig(data));
  const transport = createHttpClient((await readKubeconfig(path === undefined ? {} : { path })).client);
  try {
    const { status, body } = await transport.request({ method: "GET", target });
    if (status === 200) return yield* body;
    const answer = parseJson(await readWhole(body, LONGEST_REFUSAL));
    throw isStatus(answer) ? faultOf(answer) : new Fault("api.refused", `HTTP ${status}`, { fault: "peer", retry: "later" });
  } finally {
    await transport.close();
  }
}

async function defaultKubeconfig(data: string): Promise<string | undefined> {
  if ((process.env["KUBECONFIG"] ?? "") !== "") return undefined;
  const path = join(data, "kubeconfig");
  return (await disk.read(path)) === undefined ? undefined : path;
}
