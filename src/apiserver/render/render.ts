/**
 * From objects to answers, in the representation the client asked for (Accept): JSON, YAML, Table, PartialObjectMetadata.
 * An object is encoded once: JSON of an unchanged object is the very bytes the store holds.
 */
import type { KubeObject, ListMeta } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";

/** An object in the requested version. */
export interface Item {
  /** Its JSON; computed once per object, revision and version. */
  readonly bytes: Buffer;
  /** A fresh parse on every call. */
  object(): KubeObject;
}

export type WatchType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

export interface Renderer {
  readonly contentType: string;
  one(item: Item): Buffer[];
  list(items: readonly Item[], meta: ListMeta): Buffer[];
  /**
   * One watch event, newline included. `first` is true for a stream's first event (Tables carry their columns only there).
   * Renderers without per-stream state return the same Buffer for the same item and type: one encoding per event for all watchers.
   */
  event(type: WatchType, item: Item, first: boolean): Buffer;
}

/** Throws a 406 fault when nothing acceptable can be made. */
export type ChooseRenderer = (resource: Resource, accept: string | undefined, query: URLSearchParams) => Renderer;
