/** The way of a machine through its life in a cluster, as the API tells it: when it came to each station, and what it waited for meanwhile. */
import { ServerBinding, type ServerBinding as Binding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { isReady } from "./cluster.ts";
import { followServers, isServerOf, momentOf } from "./life.ts";
import type { Machine } from "./machine.ts";
import type { Sidero } from "./sidero.ts";
import type { Node } from "./talos/kubernetes/kinds.ts";
import { watch, type Watch } from "./watch.ts";

export const STATIONS = [
  "registered",
  "wiped, off",
  "allocated",
  "configuration sent",
  "installed",
  "Node ready",
  "released",
  "wiped again, off",
] as const;
export type Station = (typeof STATIONS)[number];

interface Wait {
  readonly text: string;
  /** Milliseconds since 1970; `to` as far as is known. */
  readonly from: number;
  to: number;
}

export interface Journey {
  /** Milliseconds since 1970, by station, in the order of arrival. */
  readonly reached: ReadonlyMap<Station, number>;
  readonly waits: readonly Wait[];
  /** What it is at, and waits for. */
  readonly now: string;
  /** Name of its Node. */
  readonly node: string | undefined;
}

export interface Journeys extends Watch {
  of(machine: Machine): Journey;
  /** Nodes of the cluster, whenever they have been looked at. */
  take(nodes: readonly Node[]): void;
  /** Calls when something is new, until what it returns is called. */
  onChange(listener: () => void): () => void;
}

type Draft = { reached: Map<Station, number>; waits: Wait[]; now: string; node: string | undefined; isWaiting: boolean };

/** Follows Servers and their bindings from now on, until `stop`. */
export function followJourneys(sidero: Sidero, machines: readonly Machine[]): Journeys {
  const drafts = new Map<Machine, Draft>(
    machines.map((machine) => [machine, { reached: new Map(), waits: [], now: "", node: undefined, isWaiting: false }]),
  );
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());
  const servers = followServers(sidero, (server) => {
    const machine = machines.find((each) => isServerOf(server, each));
    if (machine !== undefined) takeServer(drafts.get(machine)!, server);
    tell();
  });
  const { plural, group } = ServerBinding;
  const bindings = watch<Binding>(sidero, `${plural}.${group}`, (binding) => {
    const machine = machines.find(({ description }) => description.uuid === binding.metadata.name);
    if (machine !== undefined) takeBinding(drafts.get(machine)!, binding);
    tell();
  });
  return {
    of: (machine) => drafts.get(machine)!,
    take(nodes) {
      for (const [machine, draft] of drafts) {
        const node = nodes.find(({ spec }) => spec?.providerID === `sidero://${machine.description.uuid}`);
        // Where nobody answers nothing is known.
        if (node === undefined && nodes.length > 0) draft.node = undefined;
        if (node === undefined || !isReady(node)) continue;
        draft.node = node.metadata.name;
        const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
        reach(draft, "Node ready", ready?.lastTransitionTime);
      }
      tell();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      await servers.stop();
      await bindings.stop();
    },
  };
}

/** The first time counts. */
function reach({ reached }: Draft, station: Station, time: string | undefined): void {
  if (time !== undefined && !reached.has(station)) reached.set(station, Date.parse(time));
}

function takeServer(draft: Draft, server: Server): void {
  const { metadata, status } = server;
  const moment = momentOf(server);
  const now = Date.now();
  draft.now = `${moment.phase || "new"}${moment.text === "" ? "" : `: ${moment.text}`}`;
  reach(draft, "registered", metadata.creationTimestamp);
  const { wipe } = status ?? {};
  if (wipe?.by === "release") reach(draft, "released", wipe.orderedAt);
  if (moment.isAtRest)
    reach(draft, draft.reached.has("released") ? "wiped again, off" : "wiped, off", new Date(now).toISOString());
  const { waiting } = status ?? {};
  const last = draft.waits.at(-1);
  // It has lasted until this was seen, and no longer.
  if (last !== undefined && draft.isWaiting) last.to = now;
  draft.isWaiting = waiting !== undefined;
  if (waiting === undefined) return;
  if (last?.text === waiting.waitingFor && last.from === Date.parse(waiting.since)) return;
  draft.waits.push({ text: waiting.waitingFor, from: Date.parse(waiting.since), to: now });
}

function takeBinding(draft: Draft, { metadata, status }: Binding): void {
  reach(draft, "allocated", metadata.creationTimestamp);
  reach(draft, "configuration sent", status?.configuration?.servedAt);
  const installed = status?.conditions?.find(({ type }) => type === "TalosInstalled");
  if (installed?.status === "True") reach(draft, "installed", installed.lastTransitionTime);
}
