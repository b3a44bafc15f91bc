/** A Server and its ServerBinding, read into the record that is decided about. */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { REQUEST_ANNOTATION } from "#kinds/metal/v1alpha2/server.ts";
import { lacksBmc } from "../registration/bmc.ts";
import { bmcWay } from "../bmc-address.ts";
import type { Binding, LifecycleSettings, Machine, Record, Wanted } from "./machine.ts";
import { parse } from "./time.ts";

/** Of Cluster API: whoever sees it on an object does nothing with it. */
export const PAUSED_ANNOTATION = "cluster.x-k8s.io/paused";
export const CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name";

/** `firmware`: where the Server does not say. `paused`: whether, and who does that beside its own annotation. */
export function wantedOf(server: Server, firmware: "uefi" | "bios", paused: string | undefined): Wanted {
  const { metadata, spec } = server;
  const request = metadata.annotations?.[REQUEST_ANNOTATION];
  const by = metadata.annotations?.[PAUSED_ANNOTATION] === undefined ? paused : `its annotation ${PAUSED_ANNOTATION}`;
  return {
    accepted: spec?.accepted === true,
    adopt: spec?.adopt === true,
    wakeOnLan: spec?.wakeOnLan === true,
    firmware: spec?.pxeMode || firmware,
    deleting: metadata.deletionTimestamp !== undefined,
    ...(by !== undefined && { paused: by }),
    ...(request !== undefined && { request }),
    lacksBmc: lacksBmc(server),
    isOwned: (metadata.ownerReferences?.length ?? 0) > 0,
  };
}

export function recordOf({ status = {} }: Server): Record {
  const { addresses: _, ...record } = status;
  return record;
}

export function bindingOf(binding: ServerBinding): Binding {
  const conditions = binding.status?.conditions ?? [];
  const { addresses = [], hostname = "" } = binding.spec ?? {};
  const { configuration, intruder } = binding.status ?? {};
  return {
    uid: binding.metadata.uid ?? "",
    ...holderOf(binding),
    isInstalled: conditions.some(({ type, status }) => type === "TalosInstalled" && status === "True"),
    isHeard: configuration !== undefined || conditions.length > 0 || addresses.length > 0 || hostname !== "",
    ...(configuration && { configuredAt: parse(configuration.servedAt) }),
    ...(intruder && { intruder: { order: intruder.order, who: intruderText(intruder) } }),
  };
}

function intruderText({ address, mac }: { readonly address: string; readonly mac?: string }): string {
  return mac === undefined ? address : `${address} (${mac})`;
}

export function holderOf({ spec, metadata }: ServerBinding): Pick<Binding, "namespace" | "metalMachine" | "cluster"> {
  const { namespace, name } = spec?.metalMachineRef ?? {};
  const cluster = metadata.labels?.[CLUSTER_LABEL];
  return {
    ...(namespace && { namespace }),
    ...(name && { metalMachine: name }),
    ...(cluster && { cluster }),
  };
}

export interface OnRecordOptions extends LifecycleSettings {
  readonly firmware: "uefi" | "bios";
  /** Its agent is there, as its boot record has it. */
  readonly isInAgent: boolean;
  readonly now: number;
}

/** The machine as far as the API alone tells: for whoever does not speak to BMCs and agents, and only wants to know what would be done. */
export function machineOnRecord(server: Server, binding: ServerBinding | undefined, options: OnRecordOptions): Machine {
  const { spec, status, metadata } = server;
  const { rebootTimeout, autoBmcSetup, firmware, isInAgent, now } = options;
  const way = bmcWay(spec);
  const problem = way.way === "unusable" ? { problem: way.problem } : {};
  const power = isInAgent ? "on" : (status?.power ?? "unknown");
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    wanted: wantedOf(server, firmware, undefined),
    record: recordOf(server),
    seen: {
      power: { way: way.way, power, readAt: now, breaker: { state: "closed", failures: 0 }, ...problem },
      ...(isInAgent && { agent: { boot: "now", since: now } }),
      orders: [],
      agentsSince: 0,
      ...(binding && { binding: bindingOf(binding) }),
    },
    settings: { rebootTimeout, autoBmcSetup },
  };
}
