/** What admission asks of a ClusterClass (v1beta2; that of v1beta1 is the same once it is converted). */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalid, required } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";

interface Spec {
  readonly variables?: readonly { readonly name: string }[];
  readonly patches?: readonly Patch[];
}
interface Patch {
  readonly definitions?: readonly { readonly jsonPatches: readonly Operation[] }[];
  readonly external?: object;
}
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly valueFrom?: { readonly variable?: string; readonly template?: string };
}

export function validateClass(object: KubeObject): FieldError[] {
  const { variables = [], patches = [] } = (object["spec"] ?? {}) as Spec;
  const errors: FieldError[] = [];
  for (const [i, { name }] of variables.entries()) {
    const at = FieldPath.of("spec", "variables").index(i).child("name");
    if (name === "builtin" || name.includes(".")) errors.push(invalid(at, name, "must not be builtin, nor contain dots"));
  }
  for (const [i, patch] of patches.entries()) {
    const at = FieldPath.of("spec", "patches").index(i);
    if ((patch.definitions === undefined) === (patch.external === undefined))
      errors.push(required(at, "exactly one of definitions and external must be set"));
    for (const [j, { jsonPatches }] of (patch.definitions ?? []).entries())
      for (const [k, operation] of jsonPatches.entries())
        errors.push(...validateOperation(operation, at.child("definitions").index(j).child("jsonPatches").index(k)));
  }
  return errors;
}

function validateOperation({ op, path, value, valueFrom }: Operation, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!path.startsWith("/spec/")) errors.push(invalid(at.child("path"), path, "must begin with /spec/"));
  const sources = [value, valueFrom?.variable, valueFrom?.template].filter((source) => source !== undefined).length;
  if (op !== "remove" && sources !== 1)
    errors.push(required(at, "exactly one of value, valueFrom.variable and valueFrom.template must be set"));
  return errors;
}
