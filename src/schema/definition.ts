/**
 * What an API server has to know about a kind. Built-in kinds, our own and foreign CustomResourceDefinitions all become a
 * Definition; the request handlers know nothing else about kinds.
 */
import type { FieldError } from "./field.ts";
import type { KubeObject } from "./meta.ts";
import type { PrinterColumn, ScaleSubresource, Schema } from "./structural.ts";

export interface VersionDefinition {
  readonly name: string;
  readonly served: boolean;
  readonly deprecated?: boolean;
  /** Sent as a Warning header with every request for this version. */
  readonly deprecationWarning?: string;
  /** Schema of the whole object (apiVersion, kind and metadata are implied and may be absent from `properties`). */
  readonly schema: Schema;
  /** Without Name and Age, which are added when a kind names no columns of its own. */
  readonly columns: readonly PrinterColumn[];
  readonly hasStatus: boolean;
  readonly scale?: ScaleSubresource;
  /** JSON paths (`.spec.color`) that field selectors may name besides metadata.name and metadata.namespace. */
  readonly selectable: readonly string[];
}

/** Where a built-in kind differs from a plain custom resource. All functions are synchronous and may change their argument. */
export interface Strategy {
  /** PUT on an absent object creates it (Lease, Event, RBAC). */
  readonly createOnUpdate?: boolean;
  /** False for kinds without metadata.generation (Secret, ConfigMap, Event, Lease, Namespace…). */
  readonly hasGeneration: boolean;
  /** Messages for a bad metadata.name, [] when it is good; default: RFC 1123 subdomain. */
  readonly nameMessage?: (name: string) => string[];
  /**
   * Reads the body as Go's decoder would: undefined when it fits, having brought the object into the form Go would write
   * (zero values in, empty fields out); else Go's message about the value that does not fit. Leaves unknown fields and metadata.
   */
  decodeProblem?(object: KubeObject): string | undefined;
  defaults?(object: KubeObject): void;
  prepareCreate?(object: KubeObject): void;
  prepareUpdate?(object: KubeObject, old: KubeObject): void;
  validate?(object: KubeObject, old: KubeObject | undefined): FieldError[];
  /**
   * `spec.finalizers` hold back deletion too and only the finalize subresource changes them (Namespace). Such a kind offers no
   * deletecollection, as in Kubernetes.
   */
  readonly specFinalizers?: boolean;
  /**
   * Called when the first DELETE of an object arrives, before finalizers are looked at: it may add a finalizer
   * (CustomResourceDefinition) or mark the object (Namespace becomes Terminating). `now` is a metav1.Time.
   */
  prepareDelete?(object: KubeObject, now: string): void;
  /** Field selector values beyond metadata.*; their keys are the supported labels. */
  fields?(object: KubeObject): Record<string, string>;
  /** Cells of printer columns that no JSON path can express (Node's Roles), by column name; dates as RFC 3339. Must cope with absent fields. */
  readonly cells?: Readonly<Record<string, (object: KubeObject) => string | number | boolean | null>>;
  /** How long after its last write an object is removed (Event), and the RFC 3339 times in it that tell when that may have been. */
  readonly timeToLive?: { readonly seconds: number; readonly times: (object: KubeObject) => (string | null | undefined)[] };
}

/** In-process behaviour that `main` hands in for kinds we know (our CRDs): what a webhook would do on a foreign server. */
export interface Extension {
  /** Changes `object` from one served version to another; loses nothing. Absent: only apiVersion is rewritten. */
  convert?(object: KubeObject, to: string): KubeObject;
  /** Fills in what the kind defaults, in place, in the version the request came in; before any schema has judged the object. */
  default?(object: KubeObject, old: KubeObject | undefined, context: { dryRun: boolean; operation: "CREATE" | "UPDATE" }): void;
  /** Admission rules of the version the request came in; `dryRun` and the user let immutability rules make their exemptions. */
  validate?(
    object: KubeObject,
    old: KubeObject | undefined,
    context: { dryRun: boolean; operation: "CREATE" | "UPDATE" },
  ): FieldError[];
}

export interface Definition {
  readonly group: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly storageVersion: string;
  /** Served and unserved ones, newest first as Kubernetes orders them (v2, v1, v1beta2, v1beta1, v1alpha1). */
  readonly versions: readonly VersionDefinition[];
  /** True for CustomResourceDefinition-backed kinds: JSON only, no strategic merge patch. */
  readonly custom: boolean;
  /** Its CustomResourceDefinition is being deleted: objects can go and be changed, but no new ones come. */
  readonly terminating?: boolean;
  readonly strategy: Strategy;
  readonly extension?: Extension;
}
