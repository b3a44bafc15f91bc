/** Discovery documents: the legacy ones, one per path (meta/v1), and the aggregated one (apidiscovery.k8s.io/v2). */
import type { Digest } from "#io/digest.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import type { ServedGroup, ServedVersion, Subresource } from "./groups.ts";
import { subresourcesOf, verbsOf } from "./groups.ts";

/** `/api`. */
export function apiVersions(core: ServedGroup | undefined): object {
  const versions = core?.versions.map((version) => version.name) ?? [];
  return { kind: "APIVersions", versions, serverAddressByClientCIDRs: [] };
}

/** `/apis`. */
export function apiGroupList(groups: readonly ServedGroup[]): object {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupBody) };
}

/** `/apis/<group>`. */
export function apiGroup(group: ServedGroup): object {
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(group) };
}

function groupBody(group: ServedGroup): object {
  const versions = group.versions.map(({ name }) => ({ groupVersion: apiVersionOf(group.name, name), version: name }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `/api/v1` and `/apis/<group>/<version>`. */
export function apiResourceList(group: ServedGroup, version: ServedVersion, digest: Digest): object {
  const groupVersion = apiVersionOf(group.name, version.name);
  const resources = version.resources.flatMap((resource) => resourceEntries(resource, digest));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

function resourceEntries({ definition, version }: Resource, digest: Digest): object[] {
  const { plural, singular, namespaced, kind } = definition;
  const entry = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(definition),
    ...namesOf(definition),
    ...(definition.custom ? { storageVersionHash: storageVersionHash(definition, digest) } : {}),
  };
  const subresources = subresourcesOf(definition, version).map((subresource) => ({
    name: `${plural}/${subresource.name}`,
    singularName: "",
    namespaced,
    kind,
    ...subresource.responseKind,
    verbs: subresource.verbs,
  }));
  return [entry, ...subresources];
}

/** Changes with the version in which objects are stored (apiserver `discovery.StorageVersionHash`). */
function storageVersionHash({ group, storageVersion, kind }: Resource["definition"], digest: Digest): string {
  return Buffer.from(digest(`${group}/${storageVersion}/${kind}`).slice(0, 16), "hex").toString("base64");
}

function namesOf(definition: Resource["definition"]): object {
  const { shortNames, categories } = definition;
  return { ...(shortNames.length === 0 ? {} : { shortNames }), ...(categories.length === 0 ? {} : { categories }) };
}

/** Everything at once: `/api` answers with the core group, `/apis` with all others. */
export function aggregated(groups: readonly ServedGroup[]): object {
  const items = groups.map((group) => ({
    metadata: group.name === "" ? {} : { name: group.name },
    versions: group.versions.map((version) => ({
      version: version.name,
      resources: version.resources.map(aggregatedResource),
      freshness: "Current",
    })),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function aggregatedResource({ definition, version }: Resource): object {
  const responseKind = { group: definition.group, version: version.name, kind: definition.kind };
  const subresources = subresourcesOf(definition, version).map((subresource: Subresource) => ({
    subresource: subresource.name,
    responseKind: subresource.responseKind ?? responseKind,
    verbs: subresource.verbs,
  }));
  return {
    resource: definition.plural,
    responseKind,
    scope: definition.namespaced ? "Namespaced" : "Cluster",
    singularResource: definition.singular,
    verbs: verbsOf(definition),
    ...namesOf(definition),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
