/** A machine becomes a Server, or the Server it has been is brought up to date. */
import { isSameMachine, machineOf } from "#decide/identity/machine.ts";
import type { Digest, KnownServers, MachineFacts } from "#decide/identity/machine.ts";
import { changesOf } from "#decide/registration/change.ts";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { hardwareAfter } from "./hardware.ts";
import { refusal } from "./faults.ts";
import type { Registry, ServerDraft } from "./registry.ts";

/** Why a Server is not named by its UUID. */
const NAME_NOTE = "metal.sidero.dev/name-note";
/** On a Server that is being accepted as it is made (`pending`), so that a crash half way is made good. */
export const AUTO_ACCEPT = "metal.sidero.dev/auto-accept";
/** Two machines of one UUID may register at once, and each look finds one that the cache had not seen yet. */
const LOOKS = 8;

export interface RegistrationOptions {
  readonly registry: Registry;
  readonly known: KnownServers;
  readonly digest: Digest;
  /** New Servers are accepted. */
  readonly autoAccept: boolean;
  /** Rejects when the caller may not bring a Server that is accepted up to date. */
  readonly mayRefresh: (server: Server) => Promise<void>;
  /** Throws when no new Server is to be made now. */
  readonly admitNew: () => void;
}

export interface Report {
  readonly facts: MachineFacts;
  readonly hardware: HardwareInformation;
  readonly hostname: string;
}

export interface Registered {
  readonly server: Server;
  readonly isNew: boolean;
  /** What has become of its hardware since it was last seen. */
  readonly changes: readonly string[];
}

/** Fault `agent.malformed` when nothing in the report tells the machine from others, and those of the registry. */
export async function register(report: Report, options: RegistrationOptions): Promise<Registered> {
  const { registry, digest } = options;
  const { facts } = report;
  const known = new FreshServers(options.known);
  for (let look = 0; look < LOOKS; look++) {
    const machine = machineOf(facts, known, digest);
    if (machine === undefined) {
      const message =
        "hardware.system.uuid: missing or a placeholder, and there is neither serial number nor MAC address instead";
      throw refusal("agent.malformed", message);
    }
    const { name, note } = machine;
    const server = await registry.server(name);
    if (server === undefined) {
      options.admitNew();
      const created = await registry.create(draftOf(name, note, report, options.autoAccept));
      if (created === undefined) continue;
      const server = await accepted(created, registry);
      if (server === undefined) continue;
      const suffix = note === undefined ? "" : `; ${note}`;
      registry.event(
        server,
        "Normal",
        "Server Registration",
        `Server auto-registered via API: ${summaryOf(report.hardware)}${suffix}`,
      );
      return { server, isNew: true, changes: [] };
    }
    known.saw(server);
    if (!isSameMachine(server, facts)) continue;
    if (server.spec?.accepted === true) await options.mayRefresh(server);
    const registered = await refresh(server, report, registry);
    if (registered === undefined) continue;
    const after = options.autoAccept ? await accepted(registered.server, registry) : registered.server;
    if (after !== undefined) return { ...registered, server: after };
  }
  throw refusal("agent.busy", "too many machines register with the same UUID at once");
}

function draftOf(name: string, note: string | undefined, report: Report, isToBeAccepted: boolean): ServerDraft {
  const { hostname, hardware } = report;
  const annotations = {
    ...(note === undefined ? {} : { [NAME_NOTE]: note }),
    ...(isToBeAccepted ? { [AUTO_ACCEPT]: "pending" } : {}),
  };
  return {
    name,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    spec: { accepted: false, ...(hostname === "" ? {} : { hostname }), hardware },
  };
}

/**
 * The Server, accepted if that is what it was made for. That it was Discovered is on record first: a Server that is accepted without that, as one that came
 * from another cluster, may be running something.
 */
async function accepted(server: Server, registry: Registry): Promise<Server | undefined> {
  const isPending = ({ metadata }: Server): boolean => metadata.annotations?.[AUTO_ACCEPT] === "pending";
  if (!isPending(server)) return server;
  const { name = "" } = server.metadata;
  await registry.edit(name, (current) => {
    if (!isPending(current) || current.status?.phase !== undefined) return current;
    return { ...current, status: { ...current.status, phase: "Discovered" } };
  });
  return await registry.edit(name, (current) => {
    if (!isPending(current)) return current;
    const { [AUTO_ACCEPT]: _, ...annotations } = current.metadata.annotations ?? {};
    return { ...current, metadata: { ...current.metadata, annotations }, spec: { ...current.spec, accepted: true } };
  });
}

/** Undefined when the Server went away, or became another machine's, in the meantime. */
async function refresh(
  { metadata }: Server,
  { facts, hardware, hostname }: Report,
  registry: Registry,
): Promise<Registered | undefined> {
  let changes: string[] = [];
  let isSame = true;
  const server = await registry.edit(metadata.name!, (current) => {
    isSame = isSameMachine(current, facts);
    if (!isSame) return current;
    const before = current.spec?.hardware ?? {};
    const after = hardwareAfter(before, hardware);
    changes = changesOf(before, after);
    // People may have given it another name in the meantime.
    const named = current.spec?.hostname || hostname;
    return {
      ...current,
      spec: { accepted: false, ...current.spec, ...(named === "" ? {} : { hostname: named }), hardware: after },
    };
  });
  if (server === undefined || !isSame) return undefined;
  if (changes.length > 0) registry.event(server, "Normal", "Hardware Change", changes.join(", "));
  return { server, isNew: false, changes };
}

/** `Dell Inc. PowerEdge R640, 2 processors, 64 GB of memory, 3 disks (1116 GB), 4 interfaces` */
export function summaryOf({ system, compute, memory, storage, network }: HardwareInformation): string {
  const product = [system?.manufacturer, system?.productName].filter(Boolean).join(" ");
  const counted = (count: number | undefined, what: string): string =>
    count === undefined ? "" : `${count} ${what}${count === 1 ? "" : "s"}`;
  const disks = counted(storage?.deviceCount, "disk");
  return [
    product || "unknown product",
    counted(compute?.processorCount, "processor"),
    memory?.totalSize === undefined ? "" : `${memory.totalSize} of memory`,
    disks && `${disks} (${storage?.totalSize ?? "?"})`,
    counted(network?.interfaceCount, "interface"),
  ]
    .filter(Boolean)
    .join(", ");
}

/** The Servers of a cache, with what this registration has read itself in their places. */
class FreshServers implements KnownServers {
  readonly #cached: KnownServers;
  readonly #seen = new Map<string, Server>();

  constructor(cached: KnownServers) {
    this.#cached = cached;
  }

  saw(server: Server): void {
    this.#seen.set(server.metadata.name!, server);
  }

  server(name: string): Server | undefined {
    return this.#seen.get(name) ?? this.#cached.server(name);
  }

  serversByMac(mac: string): readonly Server[] {
    return this.#cached.serversByMac(mac).map((server) => this.#seen.get(server.metadata.name!) ?? server);
  }
}
