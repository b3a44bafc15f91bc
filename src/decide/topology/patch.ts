/** Patches that bring variables into templates (§1.9). */
import type { ClassPatch, TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { KubeObject } from "#schema/meta.ts";
import { parseYamlValue } from "#schema/yaml-value.ts";
import { Fault } from "#std/fault.ts";
import { clone, isObject, type Json, type JsonObject, own, put } from "#std/json.ts";
import { renderTemplate } from "./go-template.ts";
import { valueAt } from "./variables.ts";

/** Applies JSON patch operations (RFC 6902) to a document, which it may change. */
export type ApplyJsonPatch = (document: Json, operations: readonly JsonObject[]) => Json;

/** Which of a class's templates one is. */
export type Role =
  | { readonly is: "infrastructureCluster" }
  | { readonly is: "controlPlane" }
  | { readonly is: "machineDeploymentClass"; readonly class: string };

export interface Patching {
  readonly patches: readonly ClassPatch[];
  readonly apply: ApplyJsonPatch;
}

type Definition = NonNullable<ClassPatch["definitions"]>[number];
type Operation = Definition["jsonPatches"][number];

/** The template as the patches leave it. Fault `topology.patch` names the patch that cannot be applied, never a value. */
export function patched(
  template: KubeObject,
  reference: TemplateReference,
  role: Role,
  values: JsonObject,
  { patches, apply }: Patching,
): KubeObject {
  let result = clone(template) as unknown as JsonObject;
  for (const { name, enabledIf, definitions = [], external } of patches) {
    try {
      if (external !== undefined)
        throw new Fault("topology.external", "runtime extensions are not called", { fault: "caller", retry: "never" });
      const meant = definitions.filter(({ selector }) => chooses(selector, template, reference, role));
      if (meant.length === 0 || !isEnabled(enabledIf, values)) continue;
      for (const { jsonPatches } of meant) {
        const operations = jsonPatches.map((operation) => operationOf(operation, values));
        for (const operation of operations) ensureParent(result, operation);
        result = apply(result, operations) as JsonObject;
      }
    } catch (error) {
      const message = `patch ${name} cannot be applied to ${reference.kind} ${reference.name}: ${Fault.from(error).message}`;
      throw new Fault("topology.patch", message, { fault: "caller", retry: "never" });
    }
  }
  return result as unknown as KubeObject;
}

function chooses(
  { apiVersion, kind, matchResources }: Definition["selector"],
  template: KubeObject,
  reference: TemplateReference,
  role: Role,
): boolean {
  if (kind !== template.kind || (apiVersion !== reference.apiVersion && apiVersion !== template.apiVersion)) return false;
  if (role.is !== "machineDeploymentClass") return matchResources[role.is] === true;
  return matchResources.machineDeploymentClass?.names?.some((name) => fits(name, role.class)) ?? false;
}

/** `*`, `front-*`, `*-end`, or the name itself. */
function fits(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("*")) return name.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

function isEnabled(condition: string | undefined, values: JsonObject): boolean {
  return condition === undefined || renderTemplate(condition, values).trim() === "true";
}

function operationOf({ op, path, value, valueFrom }: Operation, values: JsonObject): JsonObject {
  if (op === "remove") return { op, path };
  if (value !== undefined) return { op, path, value };
  if (valueFrom?.template !== undefined) return { op, path, value: parseYamlValue(renderTemplate(valueFrom.template, values)) };
  const found = valueAt(values, valueFrom?.variable ?? "");
  if (found === undefined)
    throw new Fault("topology.variable", `variable ${valueFrom?.variable} has no value`, { fault: "caller", retry: "never" });
  return { op, path, value: found };
}

/** Cluster API makes the objects (not the lists) on the way to what is added, so that templates need not name empty ones. */
function ensureParent(document: JsonObject, { op, path }: JsonObject): void {
  if (op !== "add" || typeof path !== "string") return;
  const steps = path
    .split("/")
    .slice(1, -1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at: Json = document;
  for (const step of steps) {
    if (!isObject(at)) return;
    const inner: Json = own(at, step) ?? {};
    put(at, step, inner);
    at = inner;
  }
}
