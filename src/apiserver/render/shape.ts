/** What an answer contains, before it is written as JSON or YAML: whole objects, their metadata, or a table. */
import type { KubeObject, ListMeta } from "#schema/meta.ts";
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

/** Whole objects. */
export function wholeShape(apiVersion: string, listKind: string): Shape {
  return {
    one: (item) => item.object(),
    list: (items, metadata) => ({ kind: listKind, apiVersion, metadata, items: items.map((item): KubeObject => item.object()) }),
    event: (_type, item) => item.object(),
    volatile: false,
  };
}
