/** The machine as the rest of this folder has it: what it is, what it says, and how it ends. */
import { randomUUID } from "node:crypto";
import { identityOf } from "#agent/steps/hardware/report.ts";
import type { Identity } from "#agent/steps/hardware/report.ts";
import { captureTree } from "#agent/steps/hardware/tree.ts";
import { isGlobal } from "#agent/steps/network/up.ts";
import type { Argument } from "#agent/steps/command-line.ts";
import type { Machine } from "#io/machine.ts";
import { AddressEventSchema, SequenceEvent_Action, SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { problemOf } from "./console.ts";
import type { Say } from "./console.ts";
import { createEvents } from "./events.ts";
import type { Events } from "./events.ts";
import { createServices } from "./services.ts";
import type { Services } from "./services.ts";
import type { Volumes } from "./volumes.ts";

export interface Host {
  readonly machine: Machine;
  readonly say: Say;
  readonly line: readonly Argument[];
  readonly identity: Identity;
  readonly events: Events;
  readonly services: Services;
  hostname: string;
  /** Of Talos, as far as anybody asks. */
  version: string;
  /** What it shows SideroLink to be the same as before. */
  uniqueToken: string;
  /** Undefined: it runs from memory. */
  volumes: Volumes | undefined;
  /** Shared addresses that it has taken. */
  readonly taken: Set<string>;
}

export async function createHost(machine: Machine, line: readonly Argument[], say: Say, version: string): Promise<Host> {
  const events = createEvents(Date.now);
  const services = createServices(events, Date.now);
  const identity = identityOf(await captureTree(machine, "identity"));
  return {
    machine,
    line,
    say,
    identity,
    events,
    services,
    hostname: "",
    version,
    uniqueToken: randomUUID(),
    volumes: undefined,
    taken: new Set(),
  };
}

/** Its own addresses, without those that wander. */
export function addressesOf({ machine, taken }: Host): string[] {
  const all = machine.addresses().filter(isGlobal);
  return all.map(({ cidr }) => cidr.split("/", 1)[0]!).filter((address) => !taken.has(address));
}

export function tellAddresses(host: Host): void {
  host.events.emit(AddressEventSchema, { hostname: host.hostname, addresses: addressesOf(host) });
}

/** What a sequence resolves to that the machine is to end: Talos says that as if it had failed by it. */
export const PLANNED_REBOOT = "error running phase reboot: task 1/1: failed, unix.Reboot(1234567)";

/** Runs a sequence of Talos', told of by events: `boot`, `install`, `reboot`, `reset`. */
export async function sequence<T>({ events, say }: Host, name: string, run: () => Promise<T>, actorId = ""): Promise<T> {
  events.emit(SequenceEventSchema, { sequence: name, action: SequenceEvent_Action.START }, actorId);
  const fail = (message: string): void =>
    events.emit(SequenceEventSchema, { sequence: name, action: SequenceEvent_Action.NOOP, error: { message } }, actorId);
  try {
    const result = await run();
    if (result === PLANNED_REBOOT) fail(PLANNED_REBOOT);
    else events.emit(SequenceEventSchema, { sequence: name, action: SequenceEvent_Action.STOP }, actorId);
    return result;
  } catch (error) {
    const message = problemOf(error);
    say(`${name} sequence failed: ${message}`);
    fail(message);
    throw error;
  }
}
