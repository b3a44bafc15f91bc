/** Where things are in a service: found once per client, from the root. */
import { ROOT } from "#wire/redfish/constants.ts";
import { type Controller, readController } from "#wire/redfish/controller.ts";
import { type Quirks, quirksOf } from "#wire/redfish/quirks.ts";
import { readRoot, type Root } from "#wire/redfish/root.ts";
import { readActionInfo, readSystem, type System } from "#wire/redfish/system.ts";
import { type Identity, type Vendor, vendorOf } from "#wire/redfish/vendor.ts";
import { bmcFault } from "../fault.ts";
import type { Read, Resources } from "./resources.ts";
import type { Session } from "./session.ts";

/** A controller and where it is. */
export interface Placed {
  readonly path: string;
  readonly controller: Controller;
}

export interface ServiceMap {
  readonly root: Root;
  /** Path of the machine. */
  readonly system: string;
  readonly controllers: readonly Placed[];
  readonly chassis: readonly string[];
  readonly identity: Identity;
  readonly quirks: Quirks;
  /** Where it is reset, and how; undefined: it cannot be. */
  readonly reset: { readonly target: string; readonly allowed: readonly string[] } | undefined;
}

export interface MapOptions {
  readonly server: string;
  /** Path of the system; absent: the only one. */
  readonly system: string | undefined;
  /** Who its address says has made it; counts where nothing that it says itself does. */
  readonly vendor: Vendor | undefined;
}

/** Rejects with Faults of `Resources`, and `bmc.refused` when there are several systems to choose from, which it names. */
export async function explore(
  resources: Resources,
  session: Session,
  { server, system, vendor = "other" }: MapOptions,
  signal: AbortSignal,
): Promise<ServiceMap> {
  const root = readRoot(await resources.getRoot(ROOT, signal));
  session.sessions = root.sessions;
  resources.canExpand = root.canExpand;
  const { path, read } = await findSystem(resources, root, { server, system }, signal);
  const found = readSystem(read.document);
  const controllers = await readControllers(resources, root, found, signal);
  const first = controllers[0]?.controller;
  const said = vendorOf(root, found, first);
  const identity: Identity = {
    vendor: said === "other" ? vendor : said,
    controller: first?.model,
    firmware: first?.firmware,
  };
  const quirks = quirksOf(identity);
  if (quirks.noExpand) resources.canExpand = false;
  return {
    root,
    system: path,
    controllers,
    chassis: found.chassis.length > 0 ? found.chassis : await firstOf(resources, root.chassis, signal),
    identity,
    quirks,
    reset: await resetOf(resources, found, signal),
  };
}

async function findSystem(
  resources: Resources,
  root: Root,
  { server, system }: Pick<MapOptions, "server" | "system">,
  signal: AbortSignal,
): Promise<{ path: string; read: Read }> {
  if (system !== undefined) return { path: system, read: await resources.get(system, signal) };
  if (root.systems === undefined) throw bmcFault("unsupported", `${server} serves no systems`);
  const members = await resources.membersOf(root.systems, signal);
  if (members.length === 0) throw bmcFault("refused", `${server} serves no system at the moment`);
  const all: { path: string; read: Read; type: string | undefined }[] = [];
  for (const path of members.slice(0, MOST_SYSTEMS)) {
    const read = await resources.get(path, signal);
    all.push({ path, read, type: readSystem(read.document).systemType });
  }
  // OpenBMC lists the hypervisor beside the machine it runs on.
  const machines = all.filter(({ type }) => type === undefined || type === "Physical" || type === "Composed");
  const candidates = machines.length > 0 ? machines : all;
  if (candidates.length > 1 || members.length > MOST_SYSTEMS) {
    const names = members.slice(0, MOST_NAMED).join(", ");
    throw bmcFault("refused", `${server} serves several systems: put the path of one into the BMC's address (${names})`, {
      facts: { members },
    });
  }
  return candidates[0]!;
}

/** Systems that are read to tell machines from what runs on them, and that a message names. */
const MOST_SYSTEMS = 8;
const MOST_NAMED = 16;

async function readControllers(resources: Resources, root: Root, system: System, signal: AbortSignal): Promise<Placed[]> {
  const paths = system.controllers.length > 0 ? system.controllers : await firstOf(resources, root.controllers, signal);
  const found: Placed[] = [];
  for (const path of paths.slice(0, 4)) {
    found.push({ path, controller: readController((await resources.get(path, signal)).document) });
  }
  return found;
}

/** The first members of a collection there may be none of. */
async function firstOf(resources: Resources, path: string | undefined, signal: AbortSignal): Promise<string[]> {
  return path === undefined ? [] : (await resources.membersOf(path, signal)).slice(0, 4);
}

async function resetOf(resources: Resources, { reset }: System, signal: AbortSignal): Promise<ServiceMap["reset"]> {
  if (reset === undefined || reset.allowed.length > 0 || reset.info === undefined) return reset;
  const { document } = await resources.get(reset.info, signal);
  return { target: reset.target, allowed: readActionInfo(document, "ResetType") };
}
