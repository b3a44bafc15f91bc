/** A client of a server that is really there. */
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { readKubeconfig } from "#io/node/kubeconfig.ts";
import { type Client, createClient } from "#kube/client.ts";

export async function connect(kubeconfig: string): Promise<{ client: Client; close: () => Promise<void> }> {
  const transport = createHttpClient((await readKubeconfig({ path: kubeconfig })).client);
  return { client: createClient({ transport, clock: systemClock, entropy: systemEntropy }), close: () => transport.close() };
}
