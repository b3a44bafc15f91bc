/**
 * What a machine that asks for a boot script shall do. Upstream's precedence, but for this: what it answered with an error, which iPXE takes
 * for a network that does not work, is a wait here that says what for; an architecture gets files of its own; and a machine that
 * nobody has accepted is never installed.
 */
import { unreadiness } from "../environment/asset.ts";
import { type Digest, machineOf } from "../identity/machine.ts";
import type { Duration } from "#std/duration.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Asker, BootArchitecture, Inventory } from "./asker.ts";
import { isServed } from "./order.ts";

export type DiskMethod = "ipxe-exit" | "http-404" | "ipxe-sanboot";

export interface BootDefaults {
  /** Where neither Server nor ServerClass says. */
  readonly diskMethod: DiskMethod;
  readonly digest: Digest;
}

interface Reasoned {
  /** The Server it is, or the name it will get; undefined when the machine cannot be told from others. */
  readonly machine?: string;
  /** Why, as a sentence for people, without a full stop. */
  readonly because: string;
}

/** Two files to download: `/env/<environment>/…`. */
export interface AgentBoot extends Reasoned {
  readonly do: "agent";
  readonly environment: `agent-${BootArchitecture}`;
  readonly architecture: BootArchitecture;
}
export interface EnvironmentBoot extends Reasoned {
  readonly do: "environment";
  readonly environment: Environment;
  readonly architecture: BootArchitecture;
}
export interface DiskBoot extends Reasoned {
  readonly do: "disk";
  readonly method: DiskMethod;
}
/** Not now: ask again. */
export interface Wait extends Reasoned {
  readonly do: "wait";
  /** As a phrase after "waiting: ". */
  readonly waitingFor: string;
  readonly retry: Duration;
}
/** Never like this. */
export interface Refusal extends Reasoned {
  readonly do: "refuse";
}
export type BootDecision = AgentBoot | EnvironmentBoot | DiskBoot | Wait | Refusal;

export const DEFAULT_ENVIRONMENT = "default";

/** Caches fill within moments; people and downloads take longer. */
const MOMENT = 2_000;
const WHILE = 5_000;

/** Pure and cheap: a few look-ups and a hash. */
export function decideBoot(asker: Asker, inventory: Inventory, { diskMethod, digest }: BootDefaults): BootDecision {
  const { uuid, mac, serial, architecture } = asker;
  if (uuid === undefined && mac === undefined) {
    return { do: "refuse", because: "it said neither its SMBIOS UUID nor a MAC address, so nobody can tell which machine it is" };
  }
  if (!inventory.isComplete) {
    return { do: "wait", because: "Sidero has just started", waitingFor: "Sidero to have read its Servers", retry: MOMENT };
  }
  const machine = machineOf({ uuid, serial, macs: mac === undefined ? [] : [mac] }, inventory, digest);
  if (machine === undefined) {
    return { do: "refuse", because: `its UUID ${uuid} is no machine's own, and it said no MAC address to tell it from others` };
  }
  const note = machine.note === undefined ? "" : ` (${machine.note})`;
  const agent = (because: string): AgentBoot => ({
    do: "agent",
    machine: machine.name,
    environment: `agent-${architecture}`,
    architecture,
    because: because + note,
  });
  const { server } = machine;
  if (server === undefined) return agent(`no Server ${machine.name} yet: it is to register`);
  const binding = inventory.binding(machine.name);
  const stays = whatStays(server, binding);
  if (stays !== undefined) {
    const { method, because } = diskMethodOf(server, undefined, diskMethod, stays);
    return { do: "disk", machine: machine.name, method, because: because + note };
  }
  if (binding === undefined) {
    return agent(server.spec?.accepted === true ? "nothing is to be installed on it: it is not allocated" : "it is not accepted");
  }
  const className = binding.spec?.serverClassRef?.name;
  const serverClass = className === undefined ? undefined : inventory.serverClass(className);
  if (isInstalled(server) && server.spec?.pxeBootAlways !== true) {
    return { do: "disk", machine: machine.name, ...diskMethodOf(server, serverClass, diskMethod) };
  }
  if (isServed(server, binding) && server.spec?.pxeBootAlways !== true) {
    const why = "its configuration was sent to it, so it installed itself and booted again";
    return { do: "disk", machine: machine.name, ...diskMethodOf(server, serverClass, diskMethod, why) };
  }
  // Installing writes to disks.
  if (server.spec?.accepted !== true) return agent("it is allocated but not accepted");
  const wait = (waitingFor: string): Wait => ({
    do: "wait",
    machine: machine.name,
    because: `it is to be installed, but ${waitingFor}`,
    waitingFor,
    retry: WHILE,
  });
  const own = server.spec.environmentRef?.name;
  if (!own && className !== undefined && serverClass === undefined) return wait(`there is no ServerClass "${className}"`);
  const ofClass = serverClass?.spec?.environmentRef?.name;
  const [name, whose] = own
    ? [own, "its Server names"]
    : ofClass
      ? [ofClass, `ServerClass "${className}" names`]
      : [DEFAULT_ENVIRONMENT, "used when none is named"];
  const environment = inventory.environment(name);
  if (environment === undefined) return wait(`there is no Environment "${name}", the one ${whose}`);
  const lack = unreadiness(environment, architecture);
  if (lack !== undefined) return wait(lack);
  return {
    do: "environment",
    machine: machine.name,
    environment,
    architecture,
    because: `it is allocated, and Environment "${name}" is the one ${whose}${note}`,
  };
}

/** For whoever can do something about a file of the agent's image that is not there. */
export function agentRemedy(architecture: BootArchitecture): string {
  const target = architecture === "amd64" ? "make image" : `make image ARCHITECTURES=${architecture}`;
  return `${target}, and --agent-image with the directory that it names`;
}

/** What becomes of a decision to boot files of which one is not to be had, whatever a status says. */
export function withoutAsset(decision: AgentBoot | EnvironmentBoot, file: string): Wait {
  const { architecture, machine } = decision;
  const waitingFor =
    decision.do === "agent"
      ? `the agent's ${file}-${architecture} is not there (${agentRemedy(architecture)})`
      : `${file} of Environment "${decision.environment.metadata.name}" for ${architecture} is not on disk`;
  return {
    do: "wait",
    ...(machine === undefined ? {} : { machine }),
    because: `${decision.because}, but ${waitingFor}`,
    waitingFor,
    retry: WHILE,
  };
}

/** What becomes of it for a machine that may not have its configuration: it would ask for that in vain. */
export function withoutToken({ machine, because }: EnvironmentBoot, why: string): Wait {
  const waitingFor = `being let have its configuration: ${why}`;
  return {
    do: "wait",
    ...(machine === undefined ? {} : { machine }),
    because: `${because}, but ${why}`,
    waitingFor,
    retry: WHILE,
  };
}

/** Why it is sent on to its disks as they are: the agent would not harm them, but what runs there would be gone until somebody notices. */
function whatStays({ spec, status }: Server, binding: ServerBinding | undefined): string | undefined {
  if (spec?.adopt === true) return "it is adopted: what it runs stays";
  if (binding !== undefined || spec?.accepted !== true || status?.isClean === true || status?.phase === "Discovered")
    return undefined;
  const order = status?.wipe?.state;
  const isToBeWiped = order === "ordered" || order === "started" || order === "failed";
  // One that has never been seen has to come to the agent once.
  if (isToBeWiped || spec.hardware === undefined) return undefined;
  return "it is accepted, and neither known to be clean nor ordered to be wiped: what it runs goes on";
}

/** Upstream looks at the condition's presence alone; one that says the opposite is not that. Unknown must not lead to another install. */
function isInstalled({ status }: Server): boolean {
  const condition = status?.conditions?.find(({ type }) => type === "PXEBooted");
  return condition !== undefined && condition.status !== "False";
}

function diskMethodOf(
  server: Server,
  serverClass: ServerClass | undefined,
  setting: DiskMethod,
  why = "a system is installed on its disk",
): { method: DiskMethod; because: string } {
  const own = server.spec?.bootFromDiskMethod;
  if (own) return { method: own, because: `${why} (${own}, says its Server)` };
  const ofClass = serverClass?.spec?.bootFromDiskMethod;
  if (ofClass) return { method: ofClass, because: `${why} (${ofClass}, says its ServerClass)` };
  return { method: setting, because: `${why} (${setting})` };
}
