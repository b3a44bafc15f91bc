/** What a Machine puts on its Node, and what it reads off it (§1.10, §2.4). */
import { equal } from "#std/json.ts";
import {
  INTERRUPTIBLE,
  NODE_ANNOTATIONS_FROM_MACHINE,
  NODE_CLUSTER_NAME,
  NODE_CLUSTER_NAMESPACE,
  NODE_LABELS_FROM_MACHINE,
  NODE_MACHINE,
  NODE_OWNER_KIND,
  NODE_OWNER_NAME,
  NODE_TAINTS_FROM_MACHINE,
  OUTDATED_REVISION_TAINT,
  UNINITIALIZED_TAINT,
} from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Judgement } from "../cluster/external.ts";
import { controllerOf } from "../cluster/owner.ts";
import type { NodeFacts, Taint } from "./observed.ts";

const ROLE = "node-role.kubernetes.io/";
const RESTRICTION = "node-restriction.kubernetes.io";
const NODE = "node.cluster.x-k8s.io";

function domainOf(key: string): string {
  return key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
}

function isWithin(key: string, domain: string): boolean {
  const own = domainOf(key);
  return own === domain || own.endsWith(`.${domain}`);
}

/** Labels that go from a Machine to its Node. */
export function isSyncedLabel(key: string): boolean {
  return key.startsWith(ROLE) || isWithin(key, RESTRICTION) || isWithin(key, NODE);
}

function chosen(texts: Readonly<Record<string, string>> | undefined, isChosen: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([key]) => isChosen(key)));
}

function listed(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((item) => item !== "");
}

function taintName({ key, effect }: Taint): string {
  return `${key}:${effect}`;
}

export interface NodeWishes {
  readonly machine: Machine;
  readonly isInterruptible: boolean;
  readonly isOutdated: boolean;
}

/** A merge patch that makes the Node say what its Machine does; undefined when it does already. */
export function nodePatch(node: NodeFacts, { machine, isInterruptible, isOutdated }: NodeWishes): object | undefined {
  const { labels: has = {}, annotations: notes = {}, resourceVersion } = node.metadata;
  const owner = controllerOf(machine);
  const wanted = chosen(machine.metadata.labels, isSyncedLabel);
  const noted = chosen(machine.metadata.annotations, (key) => isWithin(key, NODE));
  const taints = machine.spec?.taints ?? [];
  const kept = taints.filter(({ propagation }) => propagation === "Always");
  const annotations: Record<string, string> = {
    ...noted,
    [NODE_CLUSTER_NAME]: machine.spec?.clusterName ?? "",
    [NODE_CLUSTER_NAMESPACE]: machine.metadata.namespace ?? "",
    [NODE_MACHINE]: machine.metadata.name ?? "",
    ...(owner === undefined ? {} : { [NODE_OWNER_KIND]: owner.kind, [NODE_OWNER_NAME]: owner.name }),
    [NODE_LABELS_FROM_MACHINE]: Object.keys(wanted).toSorted().join(","),
    [NODE_ANNOTATIONS_FROM_MACHINE]: Object.keys(noted).toSorted().join(","),
    [NODE_TAINTS_FROM_MACHINE]: kept.map(taintName).toSorted().join(","),
  };
  const labels = isInterruptible ? { ...wanted, [INTERRUPTIBLE]: "" } : wanted;
  const dropped = [
    changes(has, labels, listed(notes[NODE_LABELS_FROM_MACHINE])),
    changes(notes, annotations, listed(notes[NODE_ANNOTATIONS_FROM_MACHINE])),
  ] as const;
  const before = node.spec?.taints ?? [];
  const after = taintsOf(before, taints, listed(notes[NODE_TAINTS_FROM_MACHINE]), {
    isFirst: notes[NODE_TAINTS_FROM_MACHINE] === undefined,
    isOutdated,
  });
  const hasTaints = !equal(before, after);
  if (dropped[0] === undefined && dropped[1] === undefined && !hasTaints) return undefined;
  return {
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(dropped[0] && { labels: dropped[0] }),
      ...(dropped[1] && { annotations: dropped[1] }),
    },
    ...(hasTaints ? { spec: { taints: after } } : {}),
  };
}

/** Undefined when there are none. `tracked`: keys that were put there and go when they are no longer wanted. */
function changes(
  has: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
  tracked: readonly string[],
): Record<string, string | null> | undefined {
  const set = Object.entries(wanted).filter(([key, value]) => has[key] !== value);
  const gone = tracked.filter((key) => wanted[key] === undefined && has[key] !== undefined);
  if (set.length === 0 && gone.length === 0) return undefined;
  return { ...Object.fromEntries(set), ...Object.fromEntries(gone.map((key) => [key, null])) };
}

/** Those of others stay where they are. */
function taintsOf(
  before: readonly Taint[],
  wanted: NonNullable<NonNullable<Machine["spec"]>["taints"]>,
  tracked: readonly string[],
  { isFirst, isOutdated }: { readonly isFirst: boolean; readonly isOutdated: boolean },
): readonly Taint[] {
  const due = wanted.filter(({ propagation }) => propagation === "Always" || isFirst);
  const additions: Taint[] = due.map(({ key, value, effect }) => ({ key, ...(value === undefined ? {} : { value }), effect }));
  if (isOutdated) additions.push({ ...OUTDATED_REVISION_TAINT });
  const going = new Set([
    taintName(UNINITIALIZED_TAINT),
    ...(isOutdated ? [] : [taintName(OUTDATED_REVISION_TAINT)]),
    ...tracked.filter((name) => !wanted.some((taint) => taintName(taint) === name)),
  ]);
  const left = before.flatMap((taint) => {
    if (going.has(taintName(taint))) return [];
    const addition = additions.find((each) => taintName(each) === taintName(taint));
    // What else a taint says (timeAdded) stays with it.
    return [addition === undefined || addition.value === taint.value ? taint : { ...taint, ...addition }];
  });
  const isNew = (taint: Taint): boolean => !left.some((each) => taintName(each) === taintName(taint));
  return [...left, ...additions.filter(isNew)];
}

/** The Node's own words about itself; texts only. */
export function nodeInfoOf(node: NodeFacts): Record<string, string> | undefined {
  const info = Object.entries(node.status?.nodeInfo ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return info.length === 0 ? undefined : Object.fromEntries(info);
}

export function nodeCondition(node: NodeFacts, type: string) {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/** Its kubelet has not been heard of for so long that Kubernetes takes it for gone. */
export function isUnreachable(node: NodeFacts): boolean {
  return nodeCondition(node, "Ready")?.status === "Unknown";
}

/** Condition NodeReady: the Node's Ready, in its own words. */
export function nodeReady(node: NodeFacts): Judgement {
  const ready = nodeCondition(node, "Ready");
  if (ready === undefined)
    return { status: "Unknown", reason: "NodeReadyUnknown", message: "* Node.Ready: Condition not yet reported" };
  const { status, reason = "", message = "" } = ready;
  if (status === "True") return { status, reason: "NodeReady", message: "" };
  const said = `* Node.Ready: ${message === "" ? reason : message}`;
  return status === "False"
    ? { status, reason: "NodeNotReady", message: said }
    : { status: "Unknown", reason: "NodeReadyUnknown", message: said };
}

const PRESSURES = ["MemoryPressure", "DiskPressure", "PIDPressure"];

/** Condition NodeHealthy: ready, and under no pressure. */
export function nodeHealthy(node: NodeFacts): Judgement {
  const judged = ["Ready", ...PRESSURES].map((type) => ({ type, condition: nodeCondition(node, type) }));
  const issues = judged.flatMap(({ type, condition }) => {
    const good = type === "Ready" ? "True" : "False";
    if (condition === undefined)
      return type === "Ready" ? [{ line: "* Node.Ready: Condition not yet reported", isBad: false }] : [];
    if (condition.status === good) return [];
    const said = condition.message === undefined || condition.message === "" ? (condition.reason ?? "") : condition.message;
    return [{ line: `* Node.${type}: ${said}`, isBad: condition.status !== "Unknown" }];
  });
  const message = issues.map(({ line }) => line).join("\n");
  if (issues.length === 0) return { status: "True", reason: "NodeHealthy", message };
  return issues.some(({ isBad }) => isBad)
    ? { status: "False", reason: "NodeNotHealthy", message }
    : { status: "Unknown", reason: "NodeHealthUnknown", message };
}
