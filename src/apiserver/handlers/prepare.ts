/**
 * The server's part of metadata and status on every write (apiserver `registry/rest`, apiextensions `customresource/strategy`):
 * what clients cannot set, what the main resource and its subresources leave alone, and when generation grows.
 */
import type { Clock } from "#io/clock.ts";
import { timestamp } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "#schema/meta.ts";
import { labelKey } from "#schema/names.ts";
import { equal } from "#std/json.ts";
import type { Resource } from "../registry.ts";

/** Without vowels and what looks like them, so that no word comes out (apimachinery `util/rand`). */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX = 5;
/** A generated name is cut so that it stays a label. */
const GENERATED_LIMIT = 63;
const KUBERNETES_FINALIZERS = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** Removes what a client cannot say about an object that does not exist yet. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.uid;
  delete meta.creationTimestamp;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** uid, creation time and, where only a prefix is given, a name; different at every call. */
export function fillSystemFields(meta: ObjectMeta, clock: Clock, entropy: Entropy): void {
  meta.uid = entropy.uuid();
  meta.creationTimestamp = timestamp(clock);
  const { name = "", generateName = "" } = meta;
  if (name === "" && generateName !== "") {
    const base = generateName.slice(0, GENERATED_LIMIT - SUFFIX);
    meta.name = base + [...entropy.bytes(SUFFIX)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  }
}

/** Before an object is validated for its creation. */
export function prepareCreate(object: KubeObject, { definition, version }: Resource): void {
  if (version.hasStatus) delete object["status"];
  definition.strategy.prepareCreate?.(object);
  if (definition.strategy.hasGeneration) object.metadata.generation = 1;
}

/**
 * Before a changed object is validated. Returns what is to be stored: through `status` of a custom resource only the status
 * comes from `next`, through the main resource everything else does.
 */
export function prepareUpdate(next: KubeObject, old: KubeObject, resource: Resource, subresource: string): KubeObject {
  const { definition, version } = resource;
  if (subresource === "status" && definition.custom) return withPart({ ...old }, "status", next);
  const { metadata: meta } = next;
  const before = old.metadata;
  if (before.generation === undefined) delete meta.generation;
  else meta.generation = before.generation;
  if (subresource === "status") withPart(next, "spec", old);
  else if (version.hasStatus) withPart(next, "status", old);
  if (subresource === "") definition.strategy.prepareUpdate?.(next, old);
  if (definition.strategy.hasGeneration && changesGeneration(next, old, definition.custom))
    meta.generation = (before.generation ?? 0) + 1;
  meta.uid ??= before.uid!;
  if (before.creationTimestamp !== undefined) meta.creationTimestamp = before.creationTimestamp;
  if (before.deletionTimestamp !== undefined) meta.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined) meta.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  delete meta.selfLink;
  return next;
}

/** Takes one member from another object, its absence included. */
function withPart(object: KubeObject, part: "spec" | "status", from: KubeObject): KubeObject {
  if (Object.hasOwn(from, part)) object[part] = from[part];
  else delete object[part];
  return object;
}

/** Custom resources: anything outside metadata. Built-in kinds: the spec. */
function changesGeneration(next: KubeObject, old: KubeObject, custom: boolean): boolean {
  if (!custom) return !equal(next["spec"], old["spec"]);
  const members = new Set([...Object.keys(next), ...Object.keys(old)]);
  members.delete("metadata");
  for (const member of members) if (!equal(next[member], old[member])) return true;
  return false;
}

/** Drops owner references that are there twice; returns the warning a client gets for it. */
export function dedupeOwners(meta: ObjectMeta, afterAdmission: boolean): string | undefined {
  const owners = meta.ownerReferences;
  if (owners === undefined || owners.length < 2) return undefined;
  const kept = new Map<string, OwnerReference>();
  const repeated: string[] = [];
  for (const owner of owners) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
    const text = JSON.stringify([uid, apiVersion, kind, name, controller, blockOwnerDeletion]);
    if (kept.has(text)) repeated.push(uid);
    else kept.set(text, owner);
  }
  if (repeated.length === 0) return undefined;
  meta.ownerReferences = [...kept.values()];
  const when = afterAdmission ? " after mutating admission happens" : "";
  return (
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests ` +
    `as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(", ")}`
  );
}

/** What a client is told about new finalizers of a custom resource that others might also use. */
export function finalizerWarnings(meta: ObjectMeta, old: ObjectMeta | undefined): string[] {
  const added = [...new Set(meta.finalizers).difference(new Set(old?.finalizers))].toSorted();
  return added.flatMap((finalizer) => {
    const at = `metadata.finalizers: ${JSON.stringify(finalizer)}`;
    const warnings = labelKey(finalizer).map((problem) => `${at}: ${problem}`);
    if (finalizer.includes("/") || KUBERNETES_FINALIZERS.has(finalizer)) return warnings;
    const path = finalizer.includes(".") ? " including a path (/)" : "";
    return [
      ...warnings,
      `${at}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`,
    ];
  });
}
