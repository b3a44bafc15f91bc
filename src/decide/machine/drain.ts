/** Which Pods of a Node leave it, in which order, and what keeps it from being empty (§2.4, drain). */
import type { MachineDrainRule } from "#kinds/cluster/v1beta2/machine-drain-rule.ts";
import { POD_DRAIN } from "#kinds/cluster/keys.ts";
import { compileSelector } from "#schema/selector.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** A Pod, as far as a drain goes into it. */
export interface PodFacts {
  readonly metadata: {
    readonly namespace?: string;
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[] };
  readonly status?: { readonly phase?: string };
}

export interface DrainObserved {
  /** Undefined: the workload cluster did not tell; `problem` says why. */
  readonly pods: readonly PodFacts[] | undefined;
  readonly problem: string | undefined;
  /** By name, labels of the namespaces of the pods. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By `namespace/name`, why a Pod was not evicted when that was tried last. */
  readonly refusals: ReadonlyMap<string, string>;
  readonly rules: readonly MachineDrainRule[];
  /** Volumes that are attached to the Node, but for those of Pods that stay. */
  readonly volumes: readonly string[];
}

/** What becomes of one Pod. */
export interface Verdict {
  readonly behavior: "Drain" | "Skip" | "WaitCompleted";
  readonly order: number;
}

const MIRROR = "kubernetes.io/config.mirror";

/** By its kind, its label, and the first rule that means it. */
export function verdictOf(
  pod: PodFacts,
  machine: Machine,
  clusterLabels: Readonly<Record<string, string>>,
  { rules, namespaces }: Pick<DrainObserved, "rules" | "namespaces">,
): Verdict {
  const { labels = {}, annotations = {}, ownerReferences = [], namespace = "" } = pod.metadata;
  const controller = ownerReferences.find((owner) => owner.controller === true);
  if (annotations[MIRROR] !== undefined || controller?.kind === "DaemonSet") return { behavior: "Skip", order: 0 };
  const said = labels[POD_DRAIN]?.toLowerCase();
  if (said === "skip") return { behavior: "Skip", order: 0 };
  if (said === "wait-completed") return { behavior: "WaitCompleted", order: 0 };
  const means = ({ spec }: MachineDrainRule): boolean =>
    anyOf(
      spec?.machines,
      (machines) => matches(machines.selector, machine.metadata.labels) && matches(machines.clusterSelector, clusterLabels),
    ) && anyOf(spec?.pods, (pods) => matches(pods.selector, labels) && matches(pods.namespaceSelector, namespaces[namespace]));
  const sorted = rules.toSorted((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  const drain = sorted.find(means)?.spec?.drain;
  return drain === undefined ? { behavior: "Drain", order: 0 } : { behavior: drain.behavior, order: drain.order ?? 0 };
}

/** No list means everything. */
function anyOf<T>(list: readonly T[] | undefined, isMeant: (item: T) => boolean): boolean {
  return list === undefined || list.length === 0 || list.some(isMeant);
}

type Selector = Parameters<typeof compileSelector>[0];

function matches(selector: Selector | undefined, labels: Readonly<Record<string, string>> | undefined): boolean {
  return selector === undefined || compileSelector(selector).matches(labels ?? {});
}

export interface DrainPlan {
  /** To be evicted now. */
  readonly evict: readonly PodName[];
  /** What is waited for, as sentences; none: the Node is drained. */
  readonly waits: readonly string[];
}

/** Only Pods of the lowest order go; those of higher ones wait until these have gone. */
export function planDrain(
  observed: DrainObserved,
  machine: Machine,
  clusterLabels: Readonly<Record<string, string>>,
  isUnreachable: boolean,
): DrainPlan {
  const { pods, problem, refusals } = observed;
  if (pods === undefined) return { evict: [], waits: [problem ?? "Pods cannot be listed"] };
  const left = pods.flatMap((pod) => {
    const isOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    // Its node cannot tell that it has ended, and nobody else will.
    if (isUnreachable && pod.metadata.deletionTimestamp !== undefined) return [];
    const verdict = verdictOf(pod, machine, clusterLabels, observed);
    return verdict.behavior === "Skip" || (isOver && verdict.behavior === "WaitCompleted") ? [] : [{ pod, verdict }];
  });
  const lowest = Math.min(...left.map(({ verdict }) => verdict.order));
  const turn = left.filter(({ verdict }) => verdict.order === lowest);
  const going = turn.filter(({ pod }) => pod.metadata.deletionTimestamp !== undefined);
  const toEvict = turn.filter(({ pod, verdict }) => pod.metadata.deletionTimestamp === undefined && verdict.behavior === "Drain");
  const completing = turn.filter(
    ({ pod, verdict }) => pod.metadata.deletionTimestamp === undefined && verdict.behavior !== "Drain",
  );
  const refused = toEvict.filter(({ pod }) => refusals.has(idOf(pod)));
  const waits = [
    ...(going.length === 0 ? [] : [`Pods ${list(going)} ${going.length === 1 ? "is" : "are"} going`]),
    ...refused.map(({ pod }) => `Pod ${idOf(pod)}: ${refusals.get(idOf(pod))}`),
    ...(toEvict.length === refused.length
      ? []
      : [`Pods ${list(toEvict.filter((each) => !refused.includes(each)))} to be evicted`]),
    ...(completing.length === 0 ? [] : [`Pods ${list(completing)} to complete`]),
    ...(left.length === turn.length ? [] : [`After that ${left.length - turn.length} Pods of a later order`]),
  ];
  return { evict: toEvict.map(({ pod }) => nameOf(pod)), waits };
}

export function nameOf({ metadata }: PodFacts): PodName {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

export function idOf(pod: PodFacts): string {
  const { namespace, name } = nameOf(pod);
  return `${namespace}/${name}`;
}

/** As many as a person reads. */
const SHOWN = 3;

function list(pods: readonly { readonly pod: PodFacts }[]): string {
  const names = pods.slice(0, SHOWN).map(({ pod }) => idOf(pod));
  return pods.length > SHOWN ? `${names.join(", ")} and ${pods.length - SHOWN} more` : names.join(", ");
}
