/** CustomResourceDefinitions (apiextensions.k8s.io/v1): their parts, and a family as one that any Kubernetes API server takes. */
import type { Family } from "./family.ts";
import type { Kind } from "./kind.ts";
import type { KubeObject, ObjectMeta } from "./meta.ts";
import type { PrinterColumn, ScaleSubresource, Schema } from "./structural.ts";
import { versionsOf } from "./family.ts";

export interface CrdNames {
  plural: string;
  singular?: string;
  shortNames?: string[];
  kind: string;
  listKind?: string;
  categories?: string[];
}

export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: object; scale?: ScaleSubresource };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

/** What we say of a CRD; servers know more fields. */
export interface Crd extends KubeObject {
  apiVersion: "apiextensions.k8s.io/v1";
  kind: "CustomResourceDefinition";
  metadata: ObjectMeta & { name: string };
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: CrdNames & { singular: string; listKind: string };
    versions: (CrdVersion & { schema: { openAPIV3Schema: Schema } })[];
    conversion?: {
      strategy: "Webhook";
      webhook: {
        clientConfig: { service: { namespace: string; name: string; path: string } };
        conversionReviewVersions: string[];
      };
    };
  };
}

/** Versions newest first. Only families with several versions ask for a conversion webhook. */
export function toCrd(family: Family): Crd {
  const { storage, webhook } = family;
  const { group, plural, kind, listKind, singular, shortNames, categories, scope } = storage;
  const isConverted = family.older.length > 0;
  const annotations = { "cert-manager.io/inject-ca-from": `${webhook.namespace}/${webhook.certificate}` };
  const service = { namespace: webhook.namespace, name: webhook.service, path: "/convert" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, labels: { ...family.labels }, ...(isConverted ? { annotations } : {}) },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
        ...(categories.length === 0 ? {} : { categories: [...categories] }),
      },
      versions: versionsOf(family).map((version) => crdVersion(version, version === storage)),
      ...(isConverted
        ? {
            conversion: {
              strategy: "Webhook",
              webhook: { clientConfig: { service }, conversionReviewVersions: ["v1", "v1beta1"] },
            },
          }
        : {}),
    },
  };
}

function crdVersion(kind: Kind, storage: boolean): Crd["spec"]["versions"][number] {
  const subresources = {
    ...(kind.hasStatus ? { status: {} } : {}),
    ...(kind.scale === undefined ? {} : { scale: kind.scale }),
  };
  return {
    name: kind.version,
    served: true,
    storage,
    schema: { openAPIV3Schema: kind.schema },
    ...(kind.columns.length === 0 ? {} : { additionalPrinterColumns: [...kind.columns] }),
    ...(Object.keys(subresources).length === 0 ? {} : { subresources }),
  };
}
