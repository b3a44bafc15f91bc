/** `sidero cluster kubeconfig` and `talosconfig`: the files that kubectl and talosctl reach a cluster with. */
import { entryOf, Secret } from "#kube/secret.ts";
import { ifThere } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { Terminal } from "../terminal.ts";
import { findCluster } from "./members.ts";
import type { ClusterName } from "./members.ts";

const ENTRIES = { kubeconfig: "value", talosconfig: "talosconfig" } as const;

/** The text of the file. Rejects as `findCluster`, and with Fault `cli.not-found` while there is none yet. */
export async function access(what: keyof typeof ENTRIES, cluster: ClusterName, { client }: Terminal): Promise<string> {
  const { name, namespace } = cluster;
  const secret = await ifThere(client.for(Secret).in(namespace).get(`${name}-${what}`));
  const text = secret && entryOf(secret, ENTRIES[what]);
  if (text !== undefined) return text;
  await findCluster(client, cluster);
  const message = `cluster ${name} has no ${what} yet; sidero cluster describe ${name} says what it waits for`;
  throw new Fault("cli.not-found", message, { fault: "caller", retry: "later" });
}
