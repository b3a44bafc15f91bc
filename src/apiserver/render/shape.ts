/** What an answer contains, before it is written as JSON or YAML: whole objects, their metadata, or a table. */
import { apiVersionOf } from "#schema/meta.ts";
import type { KubeObject, ListMeta } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import type { Item, WatchType } from "./render.ts";

export interface Shape {
  /** May throw a fault: not every shape can show a single object. */
  one(item: Item): object;
  list(items: readonly Item[], meta: ListMeta): object;
  /** The `object` of a watch event; never asked for ERROR, whose Status goes through as it is. */
  event(type: WatchType, item: Item, first: boolean): object;
  /** True when an event's object depends on the stream or the hour: it is then made anew for every watcher. */
  readonly volatile: boolean;
}

/** Lists of custom resources always say whether there is more, with an empty token when there is not; others only when there is. */
export function listMeta({ definition }: Resource, meta: ListMeta): ListMeta {
  return definition.custom ? { continue: "", ...meta } : meta;
}

/** As objects of built-in kinds stand in lists: the list itself says what they are. */
export function withoutType(object: KubeObject): object {
  const { apiVersion: _, kind: __, ...rest } = object;
  return rest;
}

/** Whole objects. */
export function wholeShape(resource: Resource): Shape {
  const kind = resource.definition.listKind;
  const apiVersion = apiVersionOf(resource.definition.group, resource.version.name);
  const inList = (item: Item): object => (resource.definition.custom ? item.object() : withoutType(item.object()));
  return {
    one: (item) => item.object(),
    list: (items, meta) => ({ kind, apiVersion, metadata: listMeta(resource, meta), items: items.map(inList) }),
    event: (_type, item) => item.object(),
    volatile: false,
  };
}
