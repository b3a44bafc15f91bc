/** What is done so that a cluster is as its topology says: templates first, then what refers to them, then the Cluster itself (§1.9). */
import { CLUSTER_NAME, TOPOLOGY_DEPLOYMENT_NAME, TOPOLOGY_OWNED } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Condition } from "#kinds/condition.ts";
import { type Said, setCondition } from "#schema/condition.ts";
import { parseApiVersion } from "#schema/meta.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { equal, type JsonObject } from "#std/json.ts";
import { Sealed } from "#std/sealed.ts";
import { stamp } from "../lifecycle/time.ts";
import { type Desired, desiredOf } from "./desired.ts";
import { applyPatch, fieldsBefore, fieldsOf, TOPOLOGY_FIELDS } from "./fields.ts";
import { type ObservedTopology, templateId } from "./observed.ts";
import type { ApplyJsonPatch } from "./patch.ts";

interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** Configurations may hold secrets: what is written is sealed. */
export type TopologyEffect =
  | { readonly do: "create"; readonly target: Target; readonly object: Sealed<KubeObject> }
  | { readonly do: "change"; readonly target: Target; readonly patch: Sealed<JsonObject> }
  | { readonly do: "refer"; readonly cluster: Cluster; readonly spec: JsonObject }
  | { readonly do: "delete"; readonly target: Target; readonly uid: string };

export interface TopologyDecision {
  readonly effects?: readonly TopologyEffect[];
  readonly status?: { readonly conditions: Condition[] };
}

export function decideTopology(observed: ObservedTopology, apply: ApplyJsonPatch, now: number): TopologyDecision {
  const { cluster, paused } = observed;
  if (paused !== undefined || cluster.metadata.deletionTimestamp !== undefined) return {};
  try {
    const desired = desiredOf(observed, apply);
    const effects = effectsOf(observed, desired);
    // The Cluster itself is written to: what is said of it is said next.
    if (effects.some((effect) => effect.do === "refer")) return { effects };
    return { effects, status: statusOf(cluster, reconciled(desired), now) };
  } catch (error) {
    const fault = Fault.from(error);
    if (!fault.code.startsWith("topology.") && fault.code !== "yaml.invalid") throw error;
    const said = { type: "TopologyReconciled", status: "False", reason: "ReconcileFailed", message: fault.message } as const;
    return { status: statusOf(cluster, said, now) };
  }
}

function reconciled({ versions }: Desired): Said<Condition> {
  const { pending } = versions;
  if (pending.length === 0) return { type: "TopologyReconciled", status: "True", reason: "ReconcileSucceeded" };
  const message = pending.map((line) => `* ${line}`).join("\n");
  return { type: "TopologyReconciled", status: "False", reason: "ClusterUpgrading", message };
}

function statusOf({ status }: Cluster, said: Said<Condition>, now: number): { conditions: Condition[] } {
  return { conditions: [...setCondition(status?.conditions ?? [], said, stamp(now))] };
}

function effectsOf(observed: ObservedTopology, desired: Desired): TopologyEffect[] {
  const { cluster, infrastructure, controlPlane, deployments, checks, made, used } = observed;
  const present = new Set(made.map(idOf));
  const byName = (objects: readonly KubeObject[], wanted: KubeObject) =>
    objects.find(({ metadata }) => metadata.name === wanted.metadata.name);
  return [
    ...desired.templates.filter((template) => !present.has(idOf(template))).map(creation),
    ...kept(infrastructure, desired.infrastructure),
    ...kept(controlPlane, desired.controlPlane),
    ...references(cluster, desired),
    ...desired.deployments.flatMap((wanted) => kept(byName(deployments, wanted), wanted)),
    ...desired.checks.flatMap((wanted) => kept(byName(checks, wanted), wanted)),
    ...leftovers(deployments, desired.deployments, TOPOLOGY_DEPLOYMENT_NAME),
    ...leftovers(checks, desired.checks, TOPOLOGY_OWNED),
    // A MachineSet of an earlier template goes before the template does.
    ...leftovers(
      made.filter((template) => !used.has(idOf(template))),
      desired.templates,
      TOPOLOGY_OWNED,
    ),
  ];
}

function idOf({ kind, metadata }: KubeObject): string {
  return templateId({ kind, name: metadata.name ?? "" });
}

function targetOf({ apiVersion, kind, metadata: { name = "", namespace = "" } }: KubeObject): Target {
  return { apiVersion, kind, name, namespace };
}

function creation(object: KubeObject): TopologyEffect {
  return { do: "create", target: targetOf(object), object: new Sealed(object) };
}

function kept(current: KubeObject | undefined, wanted: KubeObject): TopologyEffect[] {
  const { labels = {}, annotations = {} } = wanted.metadata;
  const spec = wanted["spec"] as JsonObject;
  const set = { spec, metadata: { labels, annotations } };
  const record = { [TOPOLOGY_FIELDS]: JSON.stringify(fieldsOf(set).toSorted()) };
  const marked = { ...set, metadata: { labels, annotations: { ...annotations, ...record } } };
  if (current === undefined) return [creation({ ...wanted, metadata: { ...wanted.metadata, ...marked.metadata } })];
  if (current.metadata.deletionTimestamp !== undefined) return [];
  const before = fieldsBefore(current.metadata.annotations?.[TOPOLOGY_FIELDS]);
  const patch = applyPatch(current as unknown as JsonObject, marked, before);
  if (patch === undefined) return [];
  return [{ do: "change", target: targetOf({ ...current, metadata: wanted.metadata }), patch: new Sealed(patch) }];
}

function references(cluster: Cluster, { infrastructure, controlPlane }: Desired): TopologyEffect[] {
  const spec = { infrastructureRef: referenceTo(infrastructure), controlPlaneRef: referenceTo(controlPlane) };
  const { infrastructureRef, controlPlaneRef } = cluster.spec ?? {};
  if (equal(spec, { infrastructureRef, controlPlaneRef })) return [];
  return [{ do: "refer", cluster, spec }];
}

function referenceTo({ apiVersion, kind, metadata: { name = "" } }: KubeObject): {
  apiGroup: string;
  kind: string;
  name: string;
} {
  return { apiGroup: parseApiVersion(apiVersion)?.group ?? "", kind, name };
}

/** What the topology has made, and does not name any more. */
function leftovers(objects: readonly KubeObject[], wanted: readonly KubeObject[], label: string): TopologyEffect[] {
  return objects
    .filter(({ metadata }) => metadata.labels?.[label] !== undefined && metadata.labels[CLUSTER_NAME] !== undefined)
    .filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined && !wanted.some((each) => each.metadata.name === metadata.name),
    )
    .map((object) => ({ do: "delete", target: targetOf(object), uid: object.metadata.uid ?? "" }));
}
