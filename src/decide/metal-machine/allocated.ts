/** A MetalMachine that holds a Server: what is on record of it, and how far it has come. */
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { findCondition } from "#schema/condition.ts";
import { providerIdOf } from "./binding.ts";
import { type MetalMachineDecision, type MetalMachineEffect, targetOf } from "./effect.ts";
import { nodeOf } from "./node.ts";
import type { ObservedMetalMachine } from "./observed.ts";
import { type Conditions, SERVER_ALLOCATED, TALOS_CONDITIONS } from "./status.ts";

export function allocated(observed: ObservedMetalMachine, binding: ServerBinding, conditions: Conditions): MetalMachineDecision {
  const { machine } = observed;
  const { name = "", deletionTimestamp } = binding.metadata;
  // A status of what was before would be refused: what is on record comes first.
  if (machine.spec?.serverRef?.name !== name || machine.spec.providerID !== providerIdOf(name))
    return { effects: [{ do: "record", ...targetOf(observed), server: name }] };
  const effects: MetalMachineEffect[] = [];
  if (deletionTimestamp === undefined && isIncomplete(machine, binding)) {
    const { resourceVersion = "" } = binding.metadata;
    const serverClass = machine.spec.serverClassRef;
    effects.push({
      do: "amend",
      binding: { name, resourceVersion },
      machine: targetOf(observed).machine,
      ...(serverClass && { serverClass }),
      labels: machine.metadata.labels ?? {},
    });
  }
  conditions.say({ type: SERVER_ALLOCATED, status: "True", reason: "Allocated" }).mirror(binding);
  const isInstalled = findCondition(binding.status?.conditions ?? [], "TalosInstalled")?.status === "True";
  // Never taken back; upstream had but one of the two, from the binding on.
  const isProvisioned = isInstalled || machine.status?.initialization?.provisioned === true || machine.status?.ready === true;
  const node = isProvisioned ? nodeOf(observed, name, conditions) : undefined;
  if (node !== undefined) effects.push(node);
  sayReady(observed, name, isProvisioned, conditions);
  return {
    effects,
    status: {
      ready: isProvisioned,
      ...(isProvisioned && { initialization: { provisioned: true } }),
      addresses: addressesOf(binding),
      failureDomain: observed.server?.failureDomain,
      failureReason: undefined,
      failureMessage: undefined,
      conditions: conditions.list,
    },
  };
}

/** Lacking what it is to have: its class, which a person may not have known; the uid that a move has changed; labels that were set later. */
function isIncomplete({ metadata, spec }: MetalMachine, binding: ServerBinding): boolean {
  const { serverClassRef, metalMachineRef } = binding.spec ?? {};
  const labels = binding.metadata.labels ?? {};
  return (
    metalMachineRef?.uid !== metadata.uid ||
    ((spec?.serverClassRef?.name ?? "") !== "" && serverClassRef?.name !== spec?.serverClassRef?.name) ||
    Object.entries(metadata.labels ?? {}).some(([key, value]) => labels[key] !== value)
  );
}

function addressesOf({ spec }: ServerBinding): NonNullable<MetalMachine["status"]>["addresses"] {
  const { addresses = [], hostname = "" } = spec ?? {};
  const list = addresses.map((address) => ({ type: "InternalIP", address }) as const);
  return hostname === "" ? list : [...list, { type: "Hostname", address: hostname }];
}

/** That it was there once stays true; whether it is well now is another thing. */
function sayReady({ server }: ObservedMetalMachine, name: string, isProvisioned: boolean, conditions: Conditions): void {
  const say = (reason: string, message: string, severity: "Error" | "Warning" | "Info") =>
    conditions.say({ type: "Ready", status: "False", reason, message, severity });
  if (server?.isThere !== true) return void say("ServerNotFound", `Server ${name} is not there any more`, "Error");
  for (const type of TALOS_CONDITIONS) {
    const said = conditions.find(type);
    if (said?.status !== "False" || said.severity !== "Error") continue;
    return void say(said.reason ?? `${type}Failed`, `${type}: ${said.message ?? ""}`, "Error");
  }
  if (isProvisioned) return void conditions.say({ type: "Ready", status: "True", reason: "Ready" });
  say("WaitingForInstallation", `Server ${name} is not known to have been installed yet`, "Info");
}
