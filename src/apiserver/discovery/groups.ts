/** What the registry serves, ordered as clients see it: groups, their versions, their resources and subresources. */
import type { Definition, VersionDefinition } from "#schema/definition.ts";
import type { Registry, Resource } from "../registry.ts";
import { compareVersions } from "#schema/version-order.ts";

export interface ServedVersion {
  readonly name: string;
  /** By plural name. */
  readonly resources: readonly Resource[];
}

export interface ServedGroup {
  /** "" for the core group. */
  readonly name: string;
  /** Newest first; the first is the preferred one. */
  readonly versions: readonly ServedVersion[];
}

export interface Subresource {
  readonly name: "status" | "scale" | "finalize";
  /** The kind it answers with; undefined when that is the resource's own. */
  readonly responseKind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
}

const SUBRESOURCE_VERBS = ["get", "patch", "update"];
const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };
/** In the order in which the genuine server lists them. */
const CUSTOM_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const TERMINATING_VERBS = ["delete", "deletecollection", "get", "list", "watch"];
const BUILT_IN_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** Groups with at least one served version: those of built-in kinds first, as they were registered, then by name. */
export function servedGroups(registry: Registry): ServedGroup[] {
  const groups = new Map<string, Map<string, Resource[]>>();
  const definitions = [...registry.definitions()];
  for (const definition of definitions.sort((a, b) => Number(a.custom) - Number(b.custom) || byText(groupKey(a), groupKey(b)))) {
    for (const version of definition.versions) {
      if (!version.served) continue;
      const versions = entryOf(groups, definition.group, () => new Map<string, Resource[]>());
      entryOf(versions, version.name, (): Resource[] => []).push({ definition, version });
    }
  }
  return [...groups].map(([name, versions]) => ({ name, versions: orderVersions(versions) }));
}

/** Custom groups by name; built-in ones keep the order of registration, which is Kubernetes'. */
function groupKey(definition: Definition): string {
  return definition.custom ? definition.group : "";
}

function orderVersions(versions: ReadonlyMap<string, Resource[]>): ServedVersion[] {
  return [...versions]
    .sort(([a], [b]) => compareVersions(a, b))
    .map(([name, resources]) => ({
      name,
      resources: resources.sort((a, b) => byText(a.definition.plural, b.definition.plural)),
    }));
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What can be done with a resource itself. */
export function verbsOf(definition: Definition): readonly string[] {
  if (definition.terminating === true) return TERMINATING_VERBS;
  if (definition.custom) return CUSTOM_VERBS;
  return definition.strategy.specFinalizers === true
    ? BUILT_IN_VERBS.filter((verb) => verb !== "deletecollection")
    : BUILT_IN_VERBS;
}

export function subresourcesOf(definition: Definition, version: VersionDefinition): Subresource[] {
  const subresources: Subresource[] = [];
  if (definition.strategy.specFinalizers === true) subresources.push({ name: "finalize", verbs: ["update"] });
  if (version.hasStatus) subresources.push({ name: "status", verbs: SUBRESOURCE_VERBS });
  if (version.scale !== undefined) subresources.push({ name: "scale", responseKind: SCALE, verbs: SUBRESOURCE_VERBS });
  return subresources;
}
