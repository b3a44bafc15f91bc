/** What admission adds to sets of machines and asks of them, in all of their versions alike (§2.2). */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, invalid } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { compileSelector, type LabelSelector } from "#schema/selector.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { labelWithCluster, prefixVersion, specOf, validateVersion } from "./defaulting.ts";
import { AUTOSCALER_MAX, AUTOSCALER_MIN, CLUSTER_NAME, labelValueOf } from "./keys.ts";

/** What both versions of a MachineSet and a MachineDeployment have at the same place. */
interface SetSpec {
  readonly clusterName?: string;
  readonly selector?: LabelSelector;
  readonly template?: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec?: { readonly clusterName?: string; readonly version?: string };
  };
}

/**
 * Cluster name, version, replicas; a selector where there is none: `nameLabel` with the set's name, which its machines then carry. A
 * MachineDeployment's selector and machines always name the cluster too.
 */
export function defaultSet(set: KubeObject, old: KubeObject | undefined, nameLabel: string, namesCluster: boolean): void {
  labelWithCluster(set);
  const spec = specOf(set);
  if (spec === undefined) return;
  spec["replicas"] ??= defaultReplicas(set, old);
  const template = childOf(spec, "template");
  if (template === undefined) return;
  prefixVersion(isObject(template["spec"]) ? template["spec"] : undefined);
  const selector = childOf(spec, "selector");
  const labels = childOf(childOf(template, "metadata"), "labels");
  if (selector === undefined || labels === undefined) return;
  const { matchExpressions = [], matchLabels = {} } = selector;
  if (!isObject(matchLabels) || !Array.isArray(matchExpressions)) return;
  const added: JsonObject = {};
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) added[nameLabel] = labelValueOf(set.metadata.name ?? "");
  if (namesCluster && typeof spec["clusterName"] === "string") added[CLUSTER_NAME] = spec["clusterName"];
  if (Object.keys(added).length === 0) return;
  selector["matchLabels"] = { ...matchLabels, ...added };
  Object.assign(labels, added);
}

/** Within what an autoscaler is allowed: it sets the number from then on. */
function defaultReplicas({ metadata }: KubeObject, old: KubeObject | undefined): number {
  const [least, most] = [AUTOSCALER_MIN, AUTOSCALER_MAX].map((key) => Number(metadata.annotations?.[key] ?? Number.NaN));
  if (!Number.isInteger(least) || !Number.isInteger(most)) return 1;
  const before = old === undefined ? undefined : specOf(old)?.["replicas"];
  return typeof before === "number" ? Math.min(Math.max(before, least!), most!) : least!;
}

/** The object in a field, made where there is none; undefined when the field holds something else. */
export function childOf(parent: JsonObject | undefined, field: string): JsonObject | undefined {
  if (parent === undefined) return undefined;
  parent[field] ??= {};
  const child = parent[field];
  return isObject(child) ? child : undefined;
}

export function validateSet(set: KubeObject, old: KubeObject | undefined): FieldError[] {
  const [spec, before] = [set["spec"], old?.["spec"]] as [SetSpec | undefined, SetSpec | undefined];
  const { clusterName, selector = {}, template } = spec ?? {};
  const at = FieldPath.of("spec", "template");
  const errors = validateVersion(template?.spec?.version, at.child("spec").child("version"));
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  if (isEmpty) {
    errors.push(invalid(FieldPath.of("spec", "selector"), selector, "selector must not be empty"));
  } else if (!compileSelector(selector).matches(template?.metadata?.labels ?? {})) {
    const labels = at.child("metadata").child("labels");
    errors.push(invalid(labels, template?.metadata?.labels ?? {}, "must match spec.selector"));
  }
  if (template?.spec?.clusterName !== clusterName)
    errors.push(
      invalid(at.child("spec").child("clusterName"), template?.spec?.clusterName, "must be the same as spec.clusterName"),
    );
  if (before !== undefined && clusterName !== before.clusterName)
    errors.push(forbidden(FieldPath.of("spec", "clusterName"), "field is immutable"));
  return errors;
}

/** A name that all machines share would be taken by the first. */
export function validateNaming(template: string, path: FieldPath): FieldError[] {
  return /\{\{\s*\.random\s*\}\}/.test(template) ? [] : [invalid(path, template, "must contain {{ .random }}")];
}

/** A number, or a percentage. */
export function validateShare(share: number | string, path: FieldPath): FieldError[] {
  const isOne = typeof share === "number" ? Number.isInteger(share) && share >= 0 : /^\d+%$/.test(share);
  return isOne ? [] : [invalid(path, share, "must be a whole number that is not negative, or a percentage such as 25%")];
}

export function isNone(share: number | string | undefined): boolean {
  return share !== undefined && Number(String(share).replace(/%$/, "")) === 0;
}

/** Machines could neither be added nor taken away. */
export function validateRollingUpdate(
  { maxSurge = 1, maxUnavailable = 0 }: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string },
  path: FieldPath,
): FieldError[] {
  const errors = [
    ...validateShare(maxSurge, path.child("maxSurge")),
    ...validateShare(maxUnavailable, path.child("maxUnavailable")),
  ];
  if (isNone(maxSurge) && isNone(maxUnavailable))
    errors.push(invalid(path.child("maxUnavailable"), maxUnavailable, "cannot be 0 when maxSurge is 0"));
  return errors;
}
