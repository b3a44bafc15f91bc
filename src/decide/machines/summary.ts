/** What is told of many machines at once: counts, and conditions that sum up one of theirs. */
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Condition } from "#kinds/condition.ts";
import type { Said } from "#schema/condition.ts";
import { conditionOf, isTrue, nameOf } from "./machine.ts";

export interface Counts {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly upToDateReplicas: number;
  readonly versions?: { readonly version: string; readonly replicas: number }[];
}

/** Machines that are being deleted are still there. */
export function countMachines(machines: readonly Machine[]): Counts {
  const having = (type: string): number => machines.filter((machine) => isTrue(machine, type)).length;
  const versions = countVersions(machines.map(({ spec }) => spec?.version));
  return {
    replicas: machines.length,
    readyReplicas: having("Ready"),
    availableReplicas: having("Available"),
    upToDateReplicas: having("UpToDate"),
    ...(versions.length === 0 ? {} : { versions }),
  };
}

/** Oldest first. */
function countVersions(versions: readonly (string | undefined)[]): { version: string; replicas: number }[] {
  const counts = new Map<string, number>();
  for (const version of versions) if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .map(([version, replicas]) => ({ version, replicas }))
    .toSorted((a, b) => compareReleases(a.version, b.version));
}

/** Order of `v1.9.3` and `v1.34.0`, by number; what follows the third number is not looked at. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [releaseOf(a), releaseOf(b)];
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return 0;
}

/** Major, minor and patch; 0 for what is not there. */
export function releaseOf(version: string): readonly [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, "").split(/[-+]/)[0]!.split(".").map(Number);
  return [major, minor, patch];
}

/** Names that one line tells; of more it says how many. */
const NAMED = 3;

/** A condition of theirs summed up: True when it is so for each, or there are none; with what the others say, alike ones together. */
export function sumUp(type: string, of: string, machines: readonly Machine[]): Said<Condition> {
  if (machines.length === 0) return { type, status: "True", reason: "NoReplicas" };
  const told = machines.map((machine) => ({ name: nameOf(machine), condition: conditionOf(machine, of) }));
  const [bad, unknown] = [
    told.filter(({ condition }) => condition?.status === "False"),
    told.filter(({ condition }) => condition === undefined || condition.status === "Unknown"),
  ];
  if (bad.length === 0 && unknown.length === 0) return { type, status: "True", reason: of };
  const lines = Map.groupBy([...bad, ...unknown], ({ condition }) => condition?.message ?? "");
  const message = [...lines].map(([text, who]) => lineOf(who.map(({ name }) => name).toSorted(), text, of)).join("\n");
  return bad.length > 0
    ? { type, status: "False", reason: `Not${of}`, message }
    : { type, status: "Unknown", reason: `${of}Unknown`, message };
}

/** `* Machines a, b: …`. A message of several lines stays indented below. */
function lineOf(names: readonly string[], text: string, of: string): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  const what = text === "" ? `condition ${of} not yet reported` : text;
  const body = what.includes("\n") || what.startsWith("* ") ? `\n${indented(what)}` : ` ${what}`;
  return `* Machine${names.length === 1 ? "" : "s"} ${names.slice(0, NAMED).join(", ")}${more}:${body}`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
