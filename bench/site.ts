/** Our API server in this process with its store on a disk, for what is measured on top of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { createEdge } from "#apiserver/edge.ts";
import { createApiServer } from "#apiserver/server.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import { silent } from "#io/log.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createJournal } from "#io/node/journal.ts";
import { coreDefinitions } from "#kinds/core/definitions.ts";
import { families } from "#kinds/index.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { toCrd } from "#schema/crd.ts";
import { toExtension } from "#schema/family.ts";

export interface Site {
  /** For files of the measurement; gone afterwards. */
  readonly directory: string;
  /** An administrator's, without a socket. */
  readonly client: Client;
  readonly ports: { readonly clock: typeof clock; readonly entropy: typeof entropy; readonly log: typeof silent };
  close(): Promise<void>;
}

export async function openSite(name: string): Promise<Site> {
  const directory = mkdtempSync(join(process.env["BENCH_DIR"] ?? "/var/tmp", `sidero-bench-${name}-`));
  const store = await createStore({ journal: createJournal(join(directory, "data")), clock });
  const extensions = families.map((family) => [`${family.storage.group}/${family.storage.kind}`, toExtension(family)] as const);
  const api = createApiServer({
    store,
    definitions: coreDefinitions,
    crds: families.map(toCrd),
    extensions: new Map(extensions),
    version: { version: "0", platform: "linux/amd64" },
    clock,
    entropy,
    digest,
  });
  await api.start();
  const edge = createEdge({ authenticate: createAuthenticator({ clock }), handler: api.handler, clock, entropy });
  const ports = { clock, entropy, log: silent };
  const transport = createMemoryTransport(edge, { principal: { name: "sidero", groups: ["system:masters"] } });
  return {
    directory,
    client: createClient({ ...ports, transport }),
    ports,
    async close() {
      await api.stop();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
