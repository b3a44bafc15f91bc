/** What a DELETE means for an object: gone at once, or marked and kept until its finalizers are (apiserver registry/generic). */
import type { Definition } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";

export type PropagationPolicy = "Background" | "Foreground" | "Orphan";

/** The garbage collector's own finalizers: dependents are to be let go, or deleted before their owner. */
export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

/**
 * Takes a DELETE to the object: true when it is held back, with the object changed to what must be stored (also when it was
 * already being deleted); false when it can go. `now` is a metav1.Time.
 */
export function beginDeletion(
  definition: Definition,
  object: KubeObject,
  policy: PropagationPolicy | undefined,
  now: string,
): boolean {
  const { metadata } = object;
  const isFirst = metadata.deletionTimestamp === undefined;
  if (isFirst) definition.strategy.prepareDelete?.(object, now);
  setFinalizers(object, finalizersFor(metadata.finalizers ?? [], policy));
  if (!isHeld(definition, object)) return false;
  if (isFirst) {
    metadata.deletionTimestamp = now;
    // Kinds that have a deletion of their own (Namespace, CustomResourceDefinition) only take the time.
    if (definition.strategy.prepareDelete === undefined) {
      metadata.deletionGracePeriodSeconds = 0;
      if (metadata.generation !== undefined) metadata.generation++;
    }
  }
  return true;
}

/** Finalizers keep the object for now. */
export function isHeld(definition: Definition, object: KubeObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  if (definition.strategy.specFinalizers !== true) return false;
  const { finalizers } = (object["spec"] ?? {}) as { finalizers?: string[] };
  return (finalizers ?? []).length > 0;
}

/** Without a policy an earlier decision, recorded as a finalizer, stands. */
function finalizersFor(finalizers: readonly string[], policy: PropagationPolicy | undefined): string[] {
  if (policy === undefined) return [...finalizers];
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN_FINALIZER && finalizer !== FOREGROUND_FINALIZER);
  if (policy === "Orphan") others.push(ORPHAN_FINALIZER);
  if (policy === "Foreground") others.push(FOREGROUND_FINALIZER);
  return others;
}

/** An empty list is no list. */
export function setFinalizers(object: KubeObject, finalizers: string[]): void {
  if (finalizers.length === 0) delete object.metadata.finalizers;
  else object.metadata.finalizers = finalizers;
}
