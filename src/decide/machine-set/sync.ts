/** Labels, annotations and fields that machines get from their set while they run (§1.10, §2.5). */
import { CLUSTER_NAME, DEPLOYMENT_NAME, labelValueOf, SET_NAME } from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { equal, isObject, type Json, type JsonObject } from "#std/json.ts";
import { IN_PLACE, inPlaceFields } from "../machines/template.ts";

/**
 * Annotation of a Machine that keeps which of its labels and annotations came from its set, so that they go when the template drops
 * them and those of others stay. Cluster API keeps this in managed fields.
 */
export const FROM_TEMPLATE = "cluster.sidero.dev/from-template";

type Texts = Readonly<Record<string, string>>;

export function machineLabels({ metadata, spec }: MachineSet): Texts {
  const deployment = metadata.labels?.[DEPLOYMENT_NAME];
  return {
    ...spec?.template.metadata?.labels,
    [CLUSTER_NAME]: spec?.clusterName ?? "",
    [SET_NAME]: labelValueOf(metadata.name ?? ""),
    ...(deployment === undefined ? {} : { [DEPLOYMENT_NAME]: deployment }),
  };
}

/** With the record of what came from the set. */
export function machineAnnotations(set: MachineSet): Texts {
  const annotations = set.spec?.template.metadata?.annotations ?? {};
  const [labels, kept] = [Object.keys(machineLabels(set)), Object.keys(annotations)].map((keys) => keys.toSorted());
  return { ...annotations, [FROM_TEMPLATE]: JSON.stringify({ labels, annotations: kept }) };
}

/** Merge patches that bring a machine, and the metadata of its objects, up to its set; undefined when there is nothing to change. */
export function syncPatches(
  machine: Machine,
  set: MachineSet,
): { readonly patch: JsonObject; readonly objects: JsonObject | undefined } | undefined {
  const spec = set.spec?.template.spec;
  if (spec === undefined || machine.spec === undefined) return undefined;
  const before = recordOf(machine);
  const { metadata } = machine;
  const labels = changes(metadata.labels, machineLabels(set), before.labels);
  const annotations = changes(metadata.annotations, machineAnnotations(set), before.annotations);
  const fields = fieldChanges(inPlaceFields(machine.spec), inPlaceFields(spec));
  if (labels === undefined && annotations === undefined && fields === undefined) return undefined;
  const { [FROM_TEMPLATE]: _record, ...handed } = annotations ?? {};
  const objects = compact({ labels, annotations: Object.keys(handed).length === 0 ? undefined : handed });
  return {
    patch: { metadata: compact({ labels, annotations }) ?? {}, ...(fields === undefined ? {} : { spec: fields }) },
    objects: objects && { metadata: objects },
  };
}

/** What leads from `current` to having all of `wanted`, and none of `before` that is not in it. */
function changes(current: Texts = {}, wanted: Texts, before: readonly string[]): JsonObject | undefined {
  const set = Object.entries(wanted).filter(([key, value]) => current[key] !== value);
  const gone = before.filter((key) => !Object.hasOwn(wanted, key) && Object.hasOwn(current, key));
  return set.length + gone.length === 0 ? undefined : Object.fromEntries([...set, ...gone.map((key) => [key, null] as const)]);
}

function fieldChanges(current: object, wanted: object): JsonObject | undefined {
  const [now, next] = [current, wanted] as [JsonObject, JsonObject];
  const differing = IN_PLACE.filter((field) => !equal(now[field] ?? null, next[field] ?? null));
  if (differing.length === 0) return undefined;
  return Object.fromEntries(differing.map((field) => [field, replacement(now[field], next[field])]));
}

/** A merge patch keeps fields of an object that it does not name. */
function replacement(current: Json | undefined, wanted: Json | undefined): Json {
  if (wanted === undefined) return null;
  if (!isObject(wanted) || !isObject(current)) return wanted;
  const gone = Object.keys(current).filter((key) => !Object.hasOwn(wanted, key));
  return { ...wanted, ...Object.fromEntries(gone.map((key) => [key, null])) };
}

/** Anybody can write the annotation: what does not parse remembers nothing. */
function recordOf({ metadata }: Machine): { readonly labels: string[]; readonly annotations: string[] } {
  const strings = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
  try {
    const record = JSON.parse(metadata.annotations?.[FROM_TEMPLATE] ?? "{}") as unknown;
    if (!isObject(record)) return { labels: [], annotations: [] };
    return { labels: strings(record["labels"]), annotations: strings(record["annotations"]) };
  } catch {
    return { labels: [], annotations: [] };
  }
}

function compact(fields: Readonly<Record<string, JsonObject | undefined>>): JsonObject | undefined {
  const present = Object.entries(fields).filter((entry): entry is [string, JsonObject] => entry[1] !== undefined);
  return present.length === 0 ? undefined : Object.fromEntries(present);
}
