/**
 * A kind, defined once. From this one constant come the TypeScript type, the CustomResourceDefinition, validation, printer
 * columns, `kubectl explain` and the reference page.
 *
 *     export const Server = kind({ group: "metal.sidero.dev", version: "v1alpha2", kind: "Server", plural: "servers",
 *       scope: "Cluster", doc: "…", spec: ServerSpec, status: ServerStatus });
 *     export type Server = Resource<typeof Server>;
 */
import type { FieldError } from "./field.ts";
import type { Field, Fields, Shape } from "./kit.ts";
import type { KubeObject, ObjectMeta } from "./meta.ts";
import type { PrinterColumn, ScaleSubresource, Schema } from "./structural.ts";
import { object } from "./kit.ts";

/** What admission knows beside the objects. */
export interface AdmissionContext {
  readonly dryRun: boolean;
  readonly operation: "CREATE" | "UPDATE";
}

export interface KindOptions {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower case; the CRD is named `<plural>.<group>`. */
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly doc: string;
  readonly shortNames?: readonly string[];
  /** Groupings for `kubectl get <category>`. */
  readonly categories?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
  readonly spec?: Field;
  /** Its presence makes the status subresource. */
  readonly status?: Field;
  readonly scale?: ScaleSubresource;
  /** What admission fills in beyond what defaults of fields can say; in place. Sees objects as they were sent, which no schema has judged. */
  default?(object: KubeObject, old: KubeObject | undefined, context: AdmissionContext): void;
  /** Admission that needs more than one field's value: the metadata, or how the request was made. Sees schema-valid objects. */
  validate?(object: KubeObject, old: KubeObject | undefined, context: AdmissionContext): FieldError[];
}

export interface Kind<T = unknown> extends Omit<KindOptions, "spec" | "status"> {
  /** Never set: carries the type. */
  readonly $type?: T;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly singular: string;
  readonly listKind: string;
  /** The whole object without apiVersion, kind and metadata, which every kind has. */
  readonly root: Field;
  readonly schema: Schema;
  readonly hasStatus: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

/** The object a kind describes, as it travels. */
export type Resource<K> = K extends Kind<infer T> ? T : never;

type Described<O extends KindOptions> = {
  apiVersion: `${O["group"]}/${O["version"]}`;
  kind: O["kind"];
  metadata: ObjectMeta;
} & Shape<Pick<O, keyof O & ("spec" | "status")>>;

type Flat<T> = { [K in keyof T]: T[K] };

export function kind<const O extends KindOptions>(options: O): Kind<Flat<Described<O>>> {
  const { spec, status, ...rest }: KindOptions = options;
  const fields: Fields = { ...(spec === undefined ? {} : { spec }), ...(status === undefined ? {} : { status }) };
  const root = object(fields).doc(options.doc);
  return {
    ...rest,
    apiVersion: `${options.group}/${options.version}`,
    namespaced: options.scope === "Namespaced",
    singular: options.kind.toLowerCase(),
    listKind: `${options.kind}List`,
    root,
    schema: root.schema,
    hasStatus: status !== undefined,
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    columns: options.columns ?? [],
  };
}
