/** What a deployment writes to its sets: at once when it makes one, and when it changes something that machines can get while they run (§1.10). */
import {
  CLUSTER_NAME,
  DEPLOYMENT_NAME,
  DESIRED_REPLICAS,
  DISABLE_MACHINE_CREATE,
  labelValueOf,
  MAX_REPLICAS,
  REVISION,
  REVISION_HISTORY,
  TEMPLATE_HASH,
} from "#kinds/cluster/keys.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { CONVERSION_DATA } from "#schema/conversion.ts";
import { equal, isObject, type Json, type JsonObject } from "#std/json.ts";
import { IN_PLACE, rolledFields } from "../machines/template.ts";

type Texts = Readonly<Record<string, string>>;
export type SetSpec = NonNullable<MachineSet["spec"]>;

/** Of the deployment alone. */
const NOT_HANDED_ON = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  CONVERSION_DATA,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

export function annotationsFor({ metadata }: MachineDeployment): Texts {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_HANDED_ON.has(key)));
}

/** How many machines there may be, for whoever scales a paused deployment. */
export function sizesFor(replicas: number, maxSurge: number): Texts {
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge) };
}

export function setLabels({ metadata, spec }: MachineDeployment, hash: string): Record<string, string> {
  return {
    ...spec?.template.metadata?.labels,
    [CLUSTER_NAME]: spec?.clusterName ?? "",
    [DEPLOYMENT_NAME]: labelValueOf(metadata.name ?? ""),
    [TEMPLATE_HASH]: hash,
  };
}

/** The whole spec of a set that makes what the deployment wants. */
export function setSpec({ spec }: MachineDeployment, hash: string, replicas: number): SetSpec {
  const { clusterName, selector, template, machineNaming, deletion } = spec!;
  const metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [TEMPLATE_HASH]: hash } };
  return {
    clusterName,
    replicas,
    selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
    template: { ...template, metadata },
    ...(machineNaming === undefined ? {} : { machineNaming }),
    ...(deletion === undefined ? {} : { deletion }),
  };
}

/** Merge patch that brings the current set up to its deployment, number and revision aside; undefined when there is nothing to change. */
export function currentPatch(set: MachineSet, deployment: MachineDeployment): JsonObject | undefined {
  const hash = set.metadata.labels?.[TEMPLATE_HASH] ?? "";
  const wanted = setSpec(deployment, hash, set.spec?.replicas ?? 0);
  const labels = missingFrom(set.metadata.labels, setLabels(deployment, hash));
  const annotations = missingFrom(set.metadata.annotations, {
    ...annotationsFor(deployment),
    ...(set.metadata.annotations?.[DISABLE_MACHINE_CREATE] === undefined ? {} : { [DISABLE_MACHINE_CREATE]: "false" }),
  });
  return patchOf(
    { labels, annotations },
    {
      template: {
        metadata: differences(set.spec?.template.metadata, wanted.template.metadata),
        spec: differences(inPlace(set.spec?.template.spec), inPlace(wanted.template.spec)),
      },
      machineNaming: differences(set.spec?.machineNaming, wanted.machineNaming),
      deletion: differences(set.spec?.deletion, wanted.deletion),
    },
  );
}

/** Machines of old sets only get what says how they go. */
export function oldPatch(set: MachineSet, deployment: MachineDeployment, isOnDelete: boolean): JsonObject | undefined {
  const { spec } = deployment;
  const isDisabled = set.metadata.annotations?.[DISABLE_MACHINE_CREATE] === "true";
  const annotations = isOnDelete === isDisabled ? undefined : { [DISABLE_MACHINE_CREATE]: isOnDelete ? "true" : null };
  return patchOf(
    { annotations },
    {
      template: { spec: { deletion: differences(set.spec?.template.spec.deletion, spec?.template.spec.deletion) } },
      deletion: differences(set.spec?.deletion, spec?.deletion),
    },
  );
}

function patchOf(metadata: Nested, spec: Nested): JsonObject | undefined {
  const [meta, fields] = [pruned(metadata), pruned(spec)];
  if (meta === undefined && fields === undefined) return undefined;
  return { ...(meta === undefined ? {} : { metadata: meta }), ...(fields === undefined ? {} : { spec: fields }) };
}

interface Nested {
  readonly [field: string]: Json | Nested | undefined;
}

function pruned(fields: Nested): JsonObject | undefined {
  const kept: JsonObject = {};
  for (const [field, value] of Object.entries(fields)) {
    const child = isObject(value) && field !== "labels" && field !== "annotations" ? pruned(value) : (value as Json | undefined);
    if (child !== undefined) kept[field] = child;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function inPlace(spec: SetSpec["template"]["spec"] | undefined): JsonObject {
  const fields = (spec ?? {}) as JsonObject;
  return Object.fromEntries(IN_PLACE.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]] as const])));
}

function missingFrom(current: Texts = {}, wanted: Texts): JsonObject | undefined {
  const missing = Object.entries(wanted).filter(([key, value]) => current[key] !== value);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** The merge patch that leads from one to the other; undefined when they are equal. */
export function differences(current: unknown, wanted: unknown): Json | undefined {
  if (equal(current ?? null, wanted ?? null)) return undefined;
  if (!isObject(current) || !isObject(wanted)) return (wanted ?? null) as Json;
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(current), ...Object.keys(wanted)])) {
    const change = differences(current[key], wanted[key]);
    if (change !== undefined) patch[key] = change;
  }
  return patch;
}

/** FNV-1a (32 bits) over what decides about new machines; a label only, equality decides. */
export function hashOf({ spec }: MachineDeployment): string {
  const text = canonical(rolledFields(spec!.template));
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash);
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).toSorted();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${canonical(value[field]!)}`).join(",")}}`;
}
