/** create and change: the way every write takes from a wanted object to the store, retried when another write was first. */
import { clone, equal } from "#std/json.ts";
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import { alreadyExists, conflict, invalidFault, notFound, statusFault, unclassified } from "#kube/status.ts";
import type { Status } from "#kube/status.ts";
import type { Attributes } from "../admission/admission.ts";
import { isHeld } from "../lifecycle/deletion.ts";
import { revision } from "../query.ts";
import type { Item } from "../render/render.ts";
import type { Entry, Key } from "../store/store.ts";
import { itemOf } from "../view.ts";
import { dedupeOwners, fillSystemFields, finalizerWarnings, prepareCreate, prepareUpdate } from "./prepare.ts";
import { keyOf, subjectOf } from "./target.ts";
import type { Parts, Place } from "./target.ts";
import { validateCreate, validateUpdate } from "./validate.ts";

/** How often a write that another one overtook is computed again, and how many names are tried for one prefix. */
const MAX_ATTEMPTS = 6;
const MAX_NAMES = 8;
const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export interface WriteContext {
  readonly dryRun: boolean;
  /** Texts for the client's Warning headers. */
  readonly warnings: string[];
}

/** Stores a new object, named if it only has a prefix. Throws 404 and 403 (namespace), 409, 422. */
export async function insert(parts: Parts, place: Place, object: KubeObject, context: WriteContext): Promise<Item> {
  warn(context, dedupeOwners(object.metadata, false));
  await parts.admission.mutate(attributesOf(place, "CREATE", object, undefined, context));
  warn(context, dedupeOwners(object.metadata, true));
  const isGenerated = !object.metadata.name && !!object.metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    const candidate = isGenerated ? clone(object) : object;
    try {
      return await insertOnce(parts, place, candidate, context);
    } catch (error) {
      if (!Fault.is(error, "store.moved")) throw error;
      if (!isGenerated) throw occupied(parts, place, candidate.metadata.name!);
      if (attempt === MAX_NAMES) throw noFreeName(place, candidate.metadata.name!);
    }
  }
}

async function insertOnce(parts: Parts, place: Place, object: KubeObject, context: WriteContext): Promise<Item> {
  const { metadata: meta } = object;
  fillSystemFields(meta, parts.clock, parts.entropy);
  prepareCreate(object, place.resource);
  refuseInvalid(place, object, validateCreate(object, place.resource));
  if (place.resource.definition.custom) context.warnings.push(...finalizerWarnings(meta, undefined));
  await parts.admission.validate(attributesOf(place, "CREATE", object, undefined, context));
  if (/^0*[1-9][0-9]*$/.test(meta.resourceVersion ?? ""))
    throw unclassified("resourceVersion should not be set on objects to be created");
  delete meta.resourceVersion;
  const key = keyOf(place, meta.name);
  if (!context.dryRun) return write(parts, place, key, undefined, object);
  if (parts.store.head(key) !== undefined) throw occupied(parts, place, meta.name!);
  return itemOf(object);
}

/** 409; says so when the object is only waiting for its finalizers. */
function occupied(parts: Parts, place: Place, name: string): Fault {
  const fault = alreadyExists(subjectOf(place, name));
  if (parts.store.head(keyOf(place, name))?.deleting !== true) return fault;
  const { details } = fault.facts["status"] as Status;
  return statusFault("AlreadyExists", `object is being deleted: ${fault.message}`, details);
}

function noFreeName(place: Place, name: string): Fault {
  const fault = alreadyExists(subjectOf(place, name));
  const { details } = fault.facts["status"] as Status;
  const message = `${fault.message}, the server was not able to generate a unique name for the object`;
  return statusFault("AlreadyExists", message, { ...details, retryAfterSeconds: 1 });
}

/** The object that a change is about, as it is now. */
export interface Present {
  readonly uid: string;
  /** Another write came between; what was wanted before is spoilt. */
  readonly isRetry: boolean;
  /** Parsed at every call, for the caller to keep and change. */
  read(): KubeObject;
}

export interface Change {
  /** What the object shall become. May throw. */
  wanted(present: Present): KubeObject;
  /** What to create when there is nothing to change; absent: 404. */
  readonly missing?: () => KubeObject;
}

/** Stores a changed object, or nothing when nothing changes, or removes it when its last finalizer is gone. Throws 404, 409, 422. */
export async function change(
  parts: Parts,
  place: Place,
  change: Change,
  context: WriteContext,
): Promise<{ item: Item; created: boolean }> {
  const key = keyOf(place);
  const warnings = [...context.warnings];
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const entry = parts.store.head(key);
    if (entry === undefined) {
      if (change.missing === undefined) throw notFound(subjectOf(place));
      return { item: await insert(parts, place, change.missing(), context), created: true };
    }
    context.warnings.splice(0, context.warnings.length, ...warnings);
    const read = (): KubeObject => parts.view.object(entry, place.resource);
    const wanted = change.wanted({ uid: entry.uid, isRetry: attempt > 1, read });
    const item = await replace(parts, place, key, entry, wanted, context);
    if (item !== "moved") return { item, created: false };
  }
  throw conflict(subjectOf(place), MODIFIED);
}

/** "moved" when another write was first. */
async function replace(
  parts: Parts,
  place: Place,
  key: Key,
  entry: Entry,
  wanted: KubeObject,
  context: WriteContext,
): Promise<Item | "moved"> {
  const { resource, subresource } = place;
  const old = parts.view.object(entry, resource);
  await parts.admission.mutate(attributesOf(place, "UPDATE", wanted, old, context));
  warn(context, dedupeOwners(wanted.metadata, true));
  checkPreconditions(place, wanted, old);
  const next = prepareUpdate(wanted, old, resource, subresource);
  refuseInvalid(place, next, validateUpdate(next, old, resource, subresource));
  if (resource.definition.custom && subresource === "") context.warnings.push(...finalizerWarnings(next.metadata, old.metadata));
  await parts.admission.validate(attributesOf(place, "UPDATE", next, old, context));
  const removes = isFinalized(next, old, place);
  if (context.dryRun) return itemOf(next);
  try {
    if (removes) {
      const last = itemOf(next);
      await parts.store.remove(key, entry, entry.object());
      return last;
    }
    const before = parts.view.item(entry, resource) === entry ? old : entry.object();
    if (equal(parts.view.stored(next, resource), before)) return await unchanged(parts, place, key, entry);
    return await write(parts, place, key, entry, next);
  } catch (error) {
    if (Fault.is(error, "store.moved")) return "moved";
    throw error;
  }
}

/** uid and resourceVersion of the wanted object must be the present ones where it has them; custom resources must say their version. */
function checkPreconditions(place: Place, wanted: KubeObject, old: KubeObject): void {
  const { definition } = place.resource;
  const { metadata: meta } = wanted;
  const given = revision(meta.resourceVersion, (problem) => unclassified(problem)) ?? 0;
  if (given === 0 && definition.custom) {
    const error = invalid(FieldPath.of("metadata", "resourceVersion"), 0, "must be specified for an update");
    throw invalidFault(definition.group, definition.plural, place.name, [error]);
  }
  if (given !== 0 && String(given) !== old.metadata.resourceVersion) throw conflict(subjectOf(place), MODIFIED);
  meta.resourceVersion = old.metadata.resourceVersion!;
}

/** Nothing holds the object any more and its deletion was asked for. */
function isFinalized(next: KubeObject, old: KubeObject, { resource }: Place): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !isHeld(resource.definition, next);
}

/** The answer of a write that changes nothing; waits until the state it answers with can no longer be lost. */
async function unchanged(parts: Parts, place: Place, key: Key, entry: Entry): Promise<Item | "moved"> {
  if (parts.store.get(key) !== entry) {
    await parts.store.settled();
    if (parts.store.get(key) !== entry) return "moved";
  }
  return parts.view.item(entry, place.resource);
}

/** `object` is in the request's version. Throws Fault `store.moved` when the head is not `expected` any more. */
export async function write(
  parts: Parts,
  { resource }: Place,
  key: Key,
  expected: Entry | undefined,
  object: KubeObject,
): Promise<Item> {
  const written = parts.store.write(key, expected, parts.view.stored(object, resource));
  // Told before it is visible: its watchers look at it before its writer does.
  parts.view.written(parts.store.head(key)!, resource);
  return parts.view.item(await written, resource);
}

export function attributesOf(
  place: Place,
  operation: Attributes["operation"],
  object: KubeObject | undefined,
  old: KubeObject | undefined,
  { dryRun }: { readonly dryRun: boolean },
): Attributes {
  const { resource, subresource, namespace, user } = place;
  return {
    operation,
    resource,
    subresource,
    namespace,
    name: place.name || (object?.metadata.name ?? ""),
    object,
    old,
    dryRun,
    user,
  };
}

function refuseInvalid({ resource }: Place, object: KubeObject, errors: Parameters<typeof invalidFault>[3]): void {
  const { group, kind } = resource.definition;
  if (errors.length > 0) throw invalidFault(group, kind, object.metadata.name ?? "", errors);
}

function warn(context: WriteContext, warning: string | undefined): void {
  if (warning !== undefined) context.warnings.push(warning);
}
