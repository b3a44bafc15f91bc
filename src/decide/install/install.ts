/**
 * Whether a machine is installed. Evidence is what it says of itself over SideroLink, or that apid answers with its cluster's own certificate at an address of the machine:
 * it has that from the configuration which was sent to the boot that was ordered, and starts apid only after it has installed itself and booted from its disk. That
 * nothing is heard is no evidence of anything: then it waits, and somebody is told.
 */
import type { ClusterCondition, Said } from "#schema/condition.ts";
import { findCondition, setClusterCondition } from "#schema/condition.ts";
import { equal } from "#std/json.ts";
import { MINUTE, parse, stamp } from "../lifecycle/time.ts";
import { requestCommand } from "../lifecycle/told.ts";

/** How long an installation may take before somebody is told. */
export const OVERDUE = 30 * MINUTE;

export const INSTALLED = "TalosInstalled";

export interface ObservedInstall {
  /** Of the Server and its ServerBinding. */
  readonly name: string;
  /** Of the ServerBinding. */
  readonly uid: string;
  /** uid of the Server. */
  readonly server: string;
  readonly conditions: readonly ClusterCondition[];
  readonly addresses: readonly string[];
  readonly hostname: string;
  /** When its configuration was sent, RFC 3339; undefined: it was not. */
  readonly servedAt?: string;
  readonly servedTo?: string;
  /** apid has answered. */
  readonly proof?: InstallProof;
  /** Why it has not, as it was last. */
  readonly trouble?: string;
}

export interface InstallProof {
  readonly address: string;
  readonly hostname: string;
  /** `v1.13.4` */
  readonly version: string;
}

export type InstallEffect =
  /** What the running machine is called and where it is, for the spec of the binding. */
  | {
      readonly do: "report";
      readonly name: string;
      readonly uid: string;
      readonly addresses: readonly string[];
      readonly hostname: string;
    }
  | {
      readonly do: "tell";
      readonly name: string;
      readonly server: string;
      readonly type: "Normal" | "Warning";
      readonly message: string;
    };

export interface InstallDecision {
  readonly effects: readonly InstallEffect[];
  readonly status: { readonly conditions?: ClusterCondition[] };
  readonly again?: number;
}

export function isInstalled(conditions: readonly ClusterCondition[]): boolean {
  return findCondition(conditions, INSTALLED)?.status === "True";
}

/** Nothing is left to be asked: it is installed, and where it is is known. Its events may say the one without the other. */
export function isSettled({ conditions, addresses }: Pick<ObservedInstall, "conditions" | "addresses">): boolean {
  return isInstalled(conditions) && addresses.length > 0;
}

export function decideInstall(observed: ObservedInstall, now: number): InstallDecision {
  const { servedAt, proof, conditions } = observed;
  if (servedAt === undefined || isSettled(observed)) return { effects: [], status: {} };
  if (isInstalled(conditions)) return { effects: proof === undefined ? [] : [reportOf(observed, proof)], status: {} };
  if (proof !== undefined) return proven(observed, proof, now);
  const overdueAt = parse(servedAt) + OVERDUE;
  if (now < overdueAt) return { ...said(observed, [underWay(observed)], now), again: overdueAt - now + 1 };
  const late = overdue(observed);
  const isNew = findCondition(conditions, INSTALLED)?.reason !== late.reason;
  const tell = {
    do: "tell",
    name: observed.name,
    server: observed.server,
    type: "Warning",
    message: late.message ?? "",
  } as const;
  // What is wrong with each probe is no news: it is said as it was when it became late.
  return isNew ? { ...said(observed, [late], now), effects: [tell] } : { effects: [], status: {} };
}

function reportOf({ name, uid, ...observed }: ObservedInstall, { address, hostname }: InstallProof) {
  // What it says of itself (SideroLink) is more than the one address that has answered.
  const addresses = observed.addresses.includes(address) ? observed.addresses : [address, ...observed.addresses];
  return { do: "report", name, uid, addresses, hostname: hostname || observed.hostname } as const;
}

function proven(observed: ObservedInstall, proof: InstallProof, now: number): InstallDecision {
  const { name } = observed;
  const { address, version } = proof;
  const report = reportOf(observed, proof);
  const isNews = !equal(report.addresses, observed.addresses) || report.hostname !== observed.hostname;
  const message = `Talos ${version} is installed: it answers at ${address} with its cluster's certificate.`;
  const all = ["TalosConfigLoaded", "TalosConfigValidated", INSTALLED].map((type) => ({ type, status: "True" }) as const);
  return {
    ...said(observed, all, now),
    effects: [...(isNews ? [report] : []), { do: "tell", name, server: observed.server, type: "Normal", message }],
  };
}

function underWay({ conditions, servedAt, servedTo }: ObservedInstall): Said<ClusterCondition> {
  const before = findCondition(conditions, INSTALLED);
  // Talos itself has said how it is.
  const isItsOwn =
    before?.reason === "TalosInstallationFailed" || (before?.reason === "TalosInstallationInProgress" && !before.message);
  if (before?.status === "False" && isItsOwn) return before;
  const message = `Its configuration was sent to ${servedTo} at ${servedAt}.`;
  return { type: INSTALLED, status: "False", severity: "Info", reason: "TalosInstallationInProgress", message };
}

function overdue({ name, servedAt, servedTo, trouble }: ObservedInstall): Said<ClusterCondition> {
  const last = trouble === undefined ? "" : ` Asked last: ${trouble}.`;
  const remedy = `Look at its console; to install it anew: ${requestCommand(name, "power-cycle")}`;
  const message = `Its configuration was sent to ${servedTo} at ${servedAt}, and nothing was heard of it since.${last} ${remedy}`;
  return { type: INSTALLED, status: "False", severity: "Warning", reason: "TalosInstallationOverdue", message };
}

function said(observed: ObservedInstall, all: readonly Said<ClusterCondition>[], now: number): InstallDecision {
  const conditions = all.reduce((list, each) => setClusterCondition(list, each, stamp(now)), observed.conditions);
  return { effects: [], status: conditions === observed.conditions ? {} : { conditions: [...conditions] } };
}
