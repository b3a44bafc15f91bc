/**
 * Conversion that loses nothing, on top of `up` and `down` functions that may.
 *
 * Where a version cannot hold what the other says, the whole source goes along in an annotation (Cluster API's
 * `cluster.x-k8s.io/conversion-data`). On the way back, what nobody touched in the meantime is restored from it, and what
 * somebody edited wins: a three-way merge between the source, what became of it, and what came back.
 */
import { Fault } from "#std/fault.ts";
import { equal, isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { KubeObject, ObjectMeta } from "./meta.ts";
import type { Schema } from "./structural.ts";
import { parseJson } from "./strict.ts";
import { validate } from "./validate.ts";

type Flat<T> = { [K in keyof T]: T[K] };

/** Without the fields that are undefined: a field that is not there is absent from JSON. */
export function present<T extends object>(
  fields: T,
): Flat<
  { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
  }
>;
export function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export const CONVERSION_DATA = "cluster.x-k8s.io/conversion-data";

/** Everything but apiVersion, kind and metadata: what differs between versions. */
type Body = JsonObject;

/** One direction between two versions and the way back; both may lose what the target cannot hold, neither changes its argument. */
export interface Trip {
  /** Of the version it leads to. */
  readonly apiVersion: string;
  readonly schema: Schema;
  readonly there: (body: Body) => Body;
  readonly back: (body: Body) => Body;
}

/** The object in the version the trip leads to. Does not change its argument; parts may be shared. */
export function travel(object: KubeObject, trip: Trip): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  const source = rest as Body;
  const plain = trip.there(source);
  const kept = keptSource(metadata, trip);
  const body = kept === undefined ? plain : restored(kept, trip.there(trip.back(kept)), plain, trip);
  const carried = equal(trip.back(body), source) ? undefined : JSON.stringify({ apiVersion, ...source });
  return { apiVersion: trip.apiVersion, kind, metadata: annotated(metadata, carried), ...body };
}

/** What the annotation keeps of an object of the trip's version. Anybody can write one: what is no such object is as good as absent. */
function keptSource(metadata: ObjectMeta, { apiVersion, schema }: Trip): Body | undefined {
  const text = metadata.annotations?.[CONVERSION_DATA];
  const data = text === undefined ? undefined : parsed(text);
  if (!isObject(data) || (data["apiVersion"] ?? apiVersion) !== apiVersion) return undefined;
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...body } = data;
  return isShaped(body, schema) ? body : undefined;
}

function parsed(text: string): unknown {
  try {
    return parseJson(new TextEncoder().encode(text)).value;
  } catch (error) {
    if (Fault.is(error)) return undefined;
    throw error;
  }
}

/** Whether conversions can walk it. Values may be invalid: objects older than a rule are not to lose anything. */
function isShaped(body: Body, schema: Schema): boolean {
  const errors = validate(body, schema);
  return errors.length < 100 && !errors.some(({ type }) => type === "FieldValueTypeInvalid" || type === "FieldValueRequired");
}

function annotated(metadata: ObjectMeta, carried: string | undefined): ObjectMeta {
  const { [CONVERSION_DATA]: dropped, ...annotations } = metadata.annotations ?? {};
  if (carried !== undefined) return { ...metadata, annotations: { ...annotations, [CONVERSION_DATA]: carried } };
  if (dropped === undefined) return metadata;
  const { annotations: _annotations, ...bare } = metadata;
  return Object.keys(annotations).length === 0 ? bare : { ...bare, annotations };
}

/** The merge, unless it would hide an edit: then the edit alone. */
function restored(kept: Body, unedited: Body, edited: Body, trip: Trip): Body {
  if (equal(unedited, edited)) return kept;
  const merged = mergeObjects(kept, unedited, edited);
  return equal(trip.back(merged), trip.back(edited)) ? merged : edited;
}

/** `kept` with the changes that lead from `unedited` to `edited`; `unedited` is what was left of `kept` after there and back. */
function merge(kept: Json, unedited: Json, edited: Json): Json {
  if (equal(unedited, edited)) return kept;
  if (isObject(kept) && isObject(unedited) && isObject(edited)) return mergeObjects(kept, unedited, edited);
  if (Array.isArray(kept) && Array.isArray(unedited) && Array.isArray(edited)) return mergeArrays(kept, unedited, edited);
  return edited;
}

function mergeObjects(kept: JsonObject, unedited: JsonObject, edited: JsonObject): JsonObject {
  const merged: JsonObject = {};
  for (const key of new Set([...Object.keys(kept), ...Object.keys(edited)])) {
    const [before, was, now] = [own(kept, key), own(unedited, key), own(edited, key)];
    if (now === undefined) {
      if (was === undefined && before !== undefined) put(merged, key, before);
    } else {
      put(merged, key, before === undefined || was === undefined ? now : merge(before, was, now));
    }
  }
  return merged;
}

/**
 * Items are matched by position between `kept` and `unedited` — if each is what is left of the other; else the list was rebuilt
 * on the way (a cross product, say) and the edit stands alone. Edited items keep what was lost of the item they equal, or,
 * while the length is the same, of the one they replace; items beyond what the other version can hold follow.
 */
function mergeArrays(kept: Json[], unedited: Json[], edited: Json[]): Json[] {
  if (!isLeftOf(unedited, kept)) return edited;
  const sameLength = edited.length === unedited.length;
  const inPlace = edited.map((item, i) => (equal(unedited[i], item) ? i : undefined));
  const left = [...unedited.keys()].filter((i) => inPlace[i] === undefined);
  const moved = Map.groupBy(left.reverse(), (i) => canonical(unedited[i]!));
  const sources = edited.map((item, i) => inPlace[i] ?? moved.get(canonical(item))?.pop());
  const used = new Set(sources);
  const merged = edited.map((item, i) => {
    const source = sources[i];
    if (source !== undefined) return kept[source]!;
    return sameLength && !used.has(i) ? merge(kept[i]!, unedited[i]!, item) : item;
  });
  return sameLength ? [...merged, ...kept.slice(unedited.length)] : merged;
}

/** Text that is the same for equal values, whatever the order of their keys. */
export function canonical(value: Json): string {
  const sorted = (part: JsonObject) => Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(value, (_key, part: unknown) => (isObject(part) ? sorted(part) : part));
}

/** Whether `part` says nothing that `whole` does not. */
function isLeftOf(part: Json, whole: Json | undefined): boolean {
  if (isObject(part)) return isObject(whole) && Object.keys(part).every((key) => isLeftOf(part[key]!, own(whole, key)));
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item, i) => isLeftOf(item, whole[i]));
  return part === whole;
}
