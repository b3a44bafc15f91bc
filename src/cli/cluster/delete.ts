/** `sidero cluster delete`: the cluster goes, and its machines are wiped. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { findCondition } from "#schema/condition.ts";
import { Fault } from "#std/fault.ts";
import type { Terminal } from "../terminal.ts";
import { follow } from "./follow.ts";
import { membersOf } from "./members.ts";
import type { ClusterName } from "./members.ts";

export interface Deletion {
  /** The person has seen what goes. */
  readonly yes: boolean;
  /** Until it is gone. */
  readonly wait: boolean;
}

/** Rejects as `findCluster`, with Fault `cli.usage` that says what would go, and with those of the API. */
export async function remove(name: ClusterName, { yes, wait }: Deletion, { client, print, signal }: Terminal): Promise<void> {
  const { cluster, machines, servers } = await membersOf(client, name);
  if (!yes) {
    const which = [...servers.values()].map(({ metadata, spec }) => spec?.hostname ?? metadata.name).join(", ");
    const wiped =
      servers.size === 0 ? "" : `, and ${servers.size === 1 ? "1 Server is" : `${servers.size} Servers are`} wiped: ${which}`;
    const gone = machines.length === 1 ? "goes 1 Machine" : `go ${machines.length} Machines`;
    throw usage(`with cluster ${name.name} ${gone}${wiped}. To do that, say --yes`);
  }
  const { uid } = cluster.metadata;
  await client
    .for(Cluster)
    .in(name.namespace)
    .delete(name.name, uid === undefined ? {} : { preconditions: { uid } });
  print(`Cluster ${name.name} is being deleted`);
  if (!wait) return;
  const told = new Set<string>();
  const tell = (line: string): void => {
    if (line === "" || told.has(line)) return;
    told.add(line);
    print(`  ${line}`);
  };
  const isOver = (object: Cluster | undefined): boolean => {
    if (object === undefined || object.metadata.uid !== uid) return true;
    const message = findCondition(object.status?.conditions ?? [], "Deleting")?.message ?? "";
    for (const line of message.split("\n")) tell(line.trim().replace(/^\* /, "waits for "));
    return false;
  };
  await follow(client, Cluster, name, isOver, signal);
  print(`Cluster ${name.name} is gone`);
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
