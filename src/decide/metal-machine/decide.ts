/** What becomes of a MetalMachine: it waits, gets a Server, follows what is installed there, and lets it go (sidero.md §9.2, mended). */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { DELETE_FOR_MOVE } from "#kinds/cluster/keys.ts";
import { Sealed } from "#std/sealed.ts";
import { EXCLUSIONS, printCensus } from "../allocation/exclusion.ts";
import { pauseVerdict } from "../infrastructure-condition.ts";
import { isOwn, ownBinding, providerIdOf, serverOf } from "./binding.ts";
import { allocated } from "./allocated.ts";
import { identityOf, type MetalMachineDecision, type MetalMachineEffect, targetOf } from "./effect.ts";
import type { ObservedMetalMachine } from "./observed.ts";
import { isPicked } from "./picked.ts";
import { Conditions, RELEASED, SERVER_ALLOCATED, type StatusChange, wasAllocated } from "./status.ts";

/** Milliseconds that a released machine may take to stop. */
const STOPPING = 15 * 60_000;

export const FINALIZER = "metalmachine.infrastructure.cluster.x-k8s.io";

export function decideMetalMachine(observed: ObservedMetalMachine, now: number): MetalMachineDecision {
  const { machine, paused, owner, cluster, bindings } = observed;
  const { deletionTimestamp, finalizers = [] } = machine.metadata;
  const conditions = new Conditions(machine, now).say(pauseVerdict(paused));
  if (paused !== undefined) return { status: { conditions: conditions.list } };
  if (deletionTimestamp !== undefined) return released(observed, conditions, now);
  // The loop puts it on: what comes next is to be refused if the object has changed meanwhile, this included.
  if (!finalizers.includes(FINALIZER)) return {};
  const unknown = introduction(observed);
  if (unknown !== undefined) return { effects: [unknown] };
  const binding = ownBinding(machine, bindings);
  if (binding !== undefined) return allocated(observed, binding, conditions);
  if (wasAllocated(machine)) return lost(observed, conditions);
  const waits = (reason: string, message: string) => waiting(conditions, reason, message, "Info");
  if (owner === undefined) return waits("WaitingForMachine", "its Machine has not taken it yet");
  if (cluster === undefined) return waits("WaitingForCluster", "its Cluster is not there");
  if (!cluster.isProvisioned)
    return waits("WaitingForClusterInfrastructureReady", `the infrastructure of Cluster ${cluster.name} is not ready`);
  if (!owner.hasData) return waits("WaitingForBootstrapData", `Machine ${owner.name} has no configuration yet`);
  return unbound(observed, conditions);
}

/** How its Server is switched, where only it knows. Whoever waits for the Server may well wait for this. */
function introduction({ machine, server }: ObservedMetalMachine): MetalMachineEffect | undefined {
  const { bmc, serverRef } = machine.spec ?? {};
  if (bmc === undefined || server?.withoutBmc === undefined || server.name !== serverRef?.name) return undefined;
  return { do: "introduce", server: server.name, ...server.withoutBmc, bmc: new Sealed(bmc) };
}

/** Everything is there but the Server. */
function unbound(observed: ObservedMetalMachine, conditions: Conditions): MetalMachineDecision {
  const { machine, owner, server, offer } = observed;
  const { providerID, serverClassRef } = machine.spec ?? {};
  if (providerID !== undefined && providerID !== "" && serverOf(providerID) === undefined)
    return invalid(conditions, `spec.providerID ${providerID} is not of a Server: sidero:// and its name are wanted`);
  if (server !== undefined) {
    // It had been there before our status was lost: what it holds is not to be given to others, let alone wiped.
    if (owner?.providerID === providerIdOf(server.name)) return recovered(observed, server.name, conditions);
    return named(observed, conditions);
  }
  if ((serverClassRef?.name ?? "") === "") return invalid(conditions, "neither spec.serverRef nor spec.serverClassRef is set");
  if (offer === undefined) return {};
  if ("server" in offer) return { effects: [{ do: "pick", ...targetOf(observed), server: offer.server }] };
  if ("problem" in offer) {
    const reason = offer.isMissing ? "ServerClassNotFound" : "ServerClassInvalid";
    return waiting(conditions, reason, offer.problem, "Warning");
  }
  return waiting(conditions, "NoServersAvailable", printCensus(offer.census), "Warning");
}

/** spec.serverRef says which: picked from the class a moment ago, or given by a person, who gets that one and no other. */
function named(observed: ObservedMetalMachine, conditions: Conditions): MetalMachineDecision {
  const { machine, server } = observed;
  const { name, isThere, refusal } = server!;
  if (isThere && refusal === undefined) return bind(observed, name, false);
  if (isPicked(machine)) return { effects: [{ do: "unpick", ...targetOf(observed), server: name }] };
  if (!isThere)
    return waiting(conditions, "ServerNotFound", `Server ${name}, which spec.serverRef names, is not there`, "Warning");
  const message = `Server ${name}, which spec.serverRef names, is ${EXCLUSIONS[refusal!]}`;
  return waiting(conditions, "ServerNotAvailable", message.replace("is whose BMC", "has a BMC that"), "Warning");
}

function recovered(observed: ObservedMetalMachine, name: string, conditions: Conditions): MetalMachineDecision {
  const { server } = observed;
  if (server?.refusal === "in-use") {
    const message = `Server ${name}, which it had, is held by another MetalMachine`;
    return waiting(conditions, "ServerNotAvailable", message, "Error");
  }
  if (server?.isToBeWiped === true) return lost(observed, conditions);
  return bind(observed, name, true);
}

function bind(observed: ObservedMetalMachine, server: string, isRecovery: boolean): MetalMachineDecision {
  const serverClass = observed.machine.spec?.serverClassRef;
  const how = isRecovery ? "recovered" : isPicked(observed.machine) ? "picked" : "given";
  const { labels = {} } = observed.machine.metadata;
  return { effects: [{ do: "bind", ...targetOf(observed), server, ...(serverClass && { serverClass }), labels, how }] };
}

/** Its binding was taken away by somebody: the Server is wiped, and with it what made the machine what it was. */
function lost({ machine, server }: ObservedMetalMachine, conditions: Conditions): MetalMachineDecision {
  const name = server?.name ?? serverOf(machine.spec?.providerID) ?? machine.spec?.serverRef?.name ?? "";
  const message = `Server ${name} was released from it: its ServerBinding is gone. Delete its Machine, and it is replaced`;
  return {
    status: {
      failureReason: RELEASED,
      failureMessage: message,
      ...unready(conditions, RELEASED, message, "Error"),
    },
  };
}

/**
 * Gone is the machine when what was installed on it has stopped: till then its node could come back to the cluster, and its member to etcd. A
 * Server that nobody can switch off does not keep it for ever.
 */
function released(
  { machine, bindings, server }: ObservedMetalMachine,
  conditions: Conditions,
  now: number,
): MetalMachineDecision {
  // Its machine goes on running, under somebody else's Sidero; clusterctl takes the finalizer away.
  if (machine.metadata.annotations?.[DELETE_FOR_MOVE] !== undefined) return {};
  const own = bindings.filter((binding) => isOwn(machine, binding));
  const names = new Set([...own.map(nameOf), ...(server === undefined ? [] : [server.name])]);
  const target = { machine: identityOf(machine) };
  const effects = [...names].map((name) => ({ do: "release", ...target, server: name }) as const);
  const left = Date.parse(machine.metadata.deletionTimestamp ?? "") + STOPPING - now;
  if (own.length === 0 && server?.mayRun === true && left > 0) {
    const message = `Server ${server.name} was released, and is not known to have stopped yet`;
    return { effects, status: unready(conditions, "Deleting", message, "Info"), again: left };
  }
  if (own.length === 0) return { effects, finalized: true };
  const message = `Server ${own.map(nameOf).join(", ")} is being released`;
  return { effects, status: unready(conditions, "Deleting", message, "Info") };
}

function nameOf({ metadata: { name = "" } }: ServerBinding): string {
  return name;
}

function waiting(
  conditions: Conditions,
  reason: string,
  message: string,
  severity: "Info" | "Warning" | "Error",
): MetalMachineDecision {
  return { status: { ...unready(conditions, reason, message, severity), failureReason: undefined, failureMessage: undefined } };
}

function invalid(conditions: Conditions, message: string): MetalMachineDecision {
  const failureReason = "InvalidConfiguration";
  return {
    status: { ...unready(conditions, failureReason, message, "Error"), failureReason, failureMessage: message },
  };
}

function unready(conditions: Conditions, reason: string, message: string, severity: "Info" | "Warning" | "Error"): StatusChange {
  conditions.say({ type: SERVER_ALLOCATED, status: "False", reason, message, severity });
  conditions.say({ type: "Ready", status: "False", reason, message, severity });
  return { conditions: conditions.list };
}
