/** Everything that the life cycle of a Server is decided on, gathered from caches and ports. Nothing is decided here. */
import type { Binding, LifecycleSettings, Machine, Seen, Wanted } from "#decide/lifecycle/machine.ts";
import { setupOrder } from "#decide/lifecycle/setup.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { REQUEST_ANNOTATION } from "#kinds/metal/v1alpha2/server.ts";
import { lacksBmc } from "#decide/registration/bmc.ts";
import type { Agents, Clusters, Power, Sightings } from "./ports.ts";

/** Of Cluster API: whoever sees it on an object does nothing with it. */
export const PAUSED_ANNOTATION = "cluster.x-k8s.io/paused";
export const CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name";

export interface ObserveOptions {
  readonly power: Power;
  readonly agents: Agents;
  readonly clusters?: Clusters;
  readonly sightings?: Sightings;
  readonly settings: LifecycleSettings & { readonly firmware: "uefi" | "bios" };
  readonly agentsSince: number;
  readonly modelBootSeconds: number | undefined;
}

export function observeServer(server: Server, binding: ServerBinding | undefined, options: ObserveOptions): Machine {
  const { status = {}, metadata } = server;
  const { addresses: _, ...record } = status;
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    wanted: wantedOf(server, binding, options),
    record,
    seen: seenOf(server, binding, options),
    settings: options.settings,
  };
}

function wantedOf(server: Server, binding: ServerBinding | undefined, { settings, clusters }: ObserveOptions): Wanted {
  const { metadata, spec } = server;
  const paused = pausedBy(server, binding, clusters);
  const request = metadata.annotations?.[REQUEST_ANNOTATION];
  return {
    accepted: spec?.accepted === true,
    adopt: spec?.adopt === true,
    wakeOnLan: spec?.wakeOnLan === true,
    firmware: spec?.pxeMode || settings.firmware,
    deleting: metadata.deletionTimestamp !== undefined,
    ...(paused !== undefined && { paused }),
    ...(request !== undefined && { request }),
    lacksBmc: lacksBmc(server),
    isOwned: (metadata.ownerReferences?.length ?? 0) > 0,
  };
}

/** The cluster is its holder's, or that of whoever held it last and has not been told about yet. */
function pausedBy(
  { metadata, status }: Server,
  binding: ServerBinding | undefined,
  clusters: Clusters | undefined,
): string | undefined {
  if (metadata.annotations?.[PAUSED_ANNOTATION] !== undefined) return `its annotation ${PAUSED_ANNOTATION}`;
  const { namespace, cluster } = binding === undefined ? (status?.allocation ?? {}) : holderOf(binding);
  if (clusters === undefined || namespace === undefined || cluster === undefined) return undefined;
  const isPaused = clusters.isPaused(namespace, cluster);
  if (isPaused === undefined) return `Cluster ${namespace}/${cluster}, which cannot be read right now,`;
  return isPaused ? `Cluster ${namespace}/${cluster}` : undefined;
}

function seenOf(server: Server, binding: ServerBinding | undefined, options: ObserveOptions): Seen {
  const { power, agents, sightings, agentsSince, modelBootSeconds } = options;
  const { name = "" } = server.metadata;
  const agent = agents.connection(name);
  const ids = [server.status?.wipe?.id, server.status?.action?.id, agent && setupOrder(agent.boot)];
  const askedAt = sightings?.askedAt(name);
  return {
    power: power.facts(name),
    ...(agent && { agent }),
    orders: ids.flatMap((id) => (id === undefined ? [] : (agents.status(id) ?? []))),
    agentsSince,
    ...(binding && { binding: bindingOf(binding) }),
    ...(askedAt !== undefined && { askedAt }),
    ...(modelBootSeconds !== undefined && { modelBootSeconds }),
  };
}

function bindingOf(binding: ServerBinding): Binding {
  const conditions = binding.status?.conditions ?? [];
  const { addresses = [], hostname = "" } = binding.spec ?? {};
  return {
    uid: binding.metadata.uid ?? "",
    ...holderOf(binding),
    isInstalled: conditions.some(({ type, status }) => type === "TalosInstalled" && status === "True"),
    isHeard: conditions.length > 0 || addresses.length > 0 || hostname !== "",
  };
}

function holderOf({ spec, metadata }: ServerBinding): Pick<Binding, "namespace" | "metalMachine" | "cluster"> {
  const { namespace, name } = spec?.metalMachineRef ?? {};
  const cluster = metadata.labels?.[CLUSTER_LABEL];
  return {
    ...(namespace && { namespace }),
    ...(name && { metalMachine: name }),
    ...(cluster && { cluster }),
  };
}
