/** Everything that the life cycle of a Server is decided on, gathered from caches and ports. Nothing is decided here. */
import type { LifecycleSettings, Machine, Seen } from "#decide/lifecycle/machine.ts";
import { bindingOf, holderOf, recordOf, wantedOf } from "#decide/lifecycle/server.ts";
import { rotationOrder } from "#decide/lifecycle/request.ts";
import { setupOrder } from "#decide/lifecycle/setup.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Agents, Clusters, Power, Sightings } from "./ports.ts";

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
  const { metadata } = server;
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    wanted: wantedOf(server, options.settings.firmware, pausedBy(server, binding, options.clusters)),
    record: recordOf(server),
    seen: seenOf(server, binding, options),
    settings: options.settings,
  };
}

/** The cluster is its holder's, or that of whoever held it last and has not been told about yet. */
function pausedBy({ status }: Server, binding: ServerBinding | undefined, clusters: Clusters | undefined): string | undefined {
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
  const { wipe, action, request } = server.status ?? {};
  const ids = [wipe?.id, action?.id, agent && setupOrder(agent.boot), request && rotationOrder(request.value)];
  const askedAt = sightings?.askedAt(name);
  const { namespace, cluster } = server.status?.allocation ?? {};
  const isThere = namespace !== undefined && cluster !== undefined ? options.clusters?.isThere(namespace, cluster) : undefined;
  return {
    power: power.facts(name),
    ...(agent && { agent }),
    orders: ids.flatMap((id) => (id === undefined ? [] : (agents.status(id) ?? []))),
    agentsSince,
    ...(binding && { binding: bindingOf(binding) }),
    ...(isThere === false && { isClusterGone: true }),
    ...(askedAt !== undefined && { askedAt }),
    ...(modelBootSeconds !== undefined && { modelBootSeconds }),
  };
}
