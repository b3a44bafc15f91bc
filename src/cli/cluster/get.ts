/** `sidero cluster get`: clusters in a table. */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { findCondition } from "#schema/condition.ts";
import { spanText } from "../boot-text.ts";
import type { Terminal } from "../terminal.ts";
import { findCluster } from "./members.ts";

const PAGE = 500;

/** All of the namespace ("": of every one), or the one of that name. Rejects as `findCluster`. */
export async function get(namespace: string, name: string | undefined, terminal: Terminal): Promise<void> {
  const { client, print, style, now } = terminal;
  const clusters =
    name === undefined
      ? (await client.for(Cluster).in(namespace).listAll({ limit: PAGE })).items
      : [await findCluster(client, { namespace, name })];
  if (clusters.length === 0)
    return print(namespace === "" ? "there are no clusters" : `there are no clusters in namespace ${namespace}`);
  const rows = clusters.map((cluster) => row(cluster, now()));
  const head = ["NAMESPACE", "NAME", "PHASE", "AVAILABLE", "CONTROL PLANE", "WORKERS", "ENDPOINT", "AGE"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  print(style("dim", line(head)));
  for (const cells of rows) print(line(cells));
}

function row({ metadata, spec, status }: Cluster, now: number): string[] {
  const { host, port } = spec?.controlPlaneEndpoint ?? {};
  const phase = spec?.paused === true ? `${status?.phase ?? "Pending"} (paused)` : (status?.phase ?? "Pending");
  return [
    metadata.namespace ?? "",
    metadata.name ?? "",
    phase,
    findCondition(status?.conditions ?? [], "Available")?.status ?? "Unknown",
    counts(status?.controlPlane),
    counts(status?.workers),
    host === undefined ? "-" : `${host.includes(":") ? `[${host}]` : host}:${port}`,
    metadata.creationTimestamp === undefined ? "" : spanText(now - Date.parse(metadata.creationTimestamp)),
  ];
}

function counts(of: { readonly desiredReplicas?: number; readonly readyReplicas?: number } | undefined): string {
  return of?.desiredReplicas === undefined ? "-" : `${of.readyReplicas ?? 0}/${of.desiredReplicas}`;
}
