/** apiextensions.k8s.io/v1 CustomResourceDefinition as the server reads it, and the Definition that one becomes. */
import type { CrdNames, CrdVersion } from "#schema/crd.ts";
import type { Definition, Extension, VersionDefinition } from "#schema/definition.ts";
import type { Condition, KubeObject } from "#schema/meta.ts";
import { compareVersions } from "#schema/version-order.ts";

export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

export type CrdCondition = Omit<Condition, "observedGeneration">;

/** Validated and defaulted by its own Strategy before it gets here. */
export interface Crd extends KubeObject {
  spec: {
    group: string;
    names: CrdNames;
    scope: "Namespaced" | "Cluster";
    versions: CrdVersion[];
    conversion?: { strategy: "None" | "Webhook" };
  };
  status?: {
    conditions?: CrdCondition[];
    acceptedNames?: CrdNames;
    storedVersions?: string[];
  };
}

export function conditionOf(crd: Crd, type: string): CrdCondition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

export function isTrue(crd: Crd, type: string): boolean {
  return conditionOf(crd, type)?.status === "True";
}

/**
 * Versions that cannot be served because their objects would have to be converted by a webhook: those besides the stored one, unless
 * an extension converts in process. Handing out one version's fields under another's name would lose data without a word.
 */
export function unconvertible(crd: Crd, extension: Extension | undefined): string[] {
  if (crd.spec.conversion?.strategy !== "Webhook" || extension?.convert !== undefined) return [];
  return crd.spec.versions.filter((version) => version.served && !version.storage).map((version) => version.name);
}

/** Under the names that were accepted, which may differ from those asked for. */
export function definitionOf(crd: Crd, extension: Extension | undefined): Definition {
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const refused = unconvertible(crd, extension);
  const versions = crd.spec.versions.map((version) => versionOf(crd, version, refused.includes(version.name)));
  return {
    group: crd.spec.group,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: crd.spec.scope === "Namespaced",
    storageVersion: crd.spec.versions.find((version) => version.storage)!.name,
    versions: versions.sort((a, b) => compareVersions(a.name, b.name)),
    custom: true,
    terminating: isTrue(crd, "Terminating"),
    strategy: { hasGeneration: true },
    ...(extension === undefined ? {} : { extension }),
  };
}

function versionOf(crd: Crd, version: CrdVersion, isRefused: boolean): VersionDefinition {
  const { group, names } = crd.spec;
  const warning = version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`;
  return {
    name: version.name,
    served: version.served && !isRefused,
    ...(version.deprecated === true ? { deprecated: true, deprecationWarning: warning } : {}),
    schema: version.schema?.openAPIV3Schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    columns: version.additionalPrinterColumns ?? [],
    hasStatus: version.subresources?.status !== undefined,
    ...(version.subresources?.scale === undefined ? {} : { scale: version.subresources.scale }),
    selectable: (version.selectableFields ?? []).map((field) => field.jsonPath),
  };
}
