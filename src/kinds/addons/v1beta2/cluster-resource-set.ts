/** Manifests that every cluster of a kind gets: a network, a storage class. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, invalid } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, enumeration, int64, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { equal, isObject } from "#std/json.ts";
import { ageColumn } from "../../cluster/v1beta2/machine.ts";
import { ConditionsV1Beta2, V1Beta1Status } from "../../cluster/v1beta2/template.ts";
import { LabelSelector } from "../../selector.ts";

export const ResourceRef = object({
  kind: enumeration("Secret", "ConfigMap").required().doc("Secret (of type addons.cluster.x-k8s.io/resource-set) or ConfigMap."),
  name: string()
    .required()
    .min(1)
    .max(253)
    .doc("Its name, in the same namespace. Each of its entries holds manifests, as YAML or JSON."),
});

export const ClusterResourceSetSpec = object({
  clusterSelector: LabelSelector.required().doc(
    "Labels of the Clusters that get the manifests. Never changes, and is not empty.",
  ),
  resources: array(ResourceRef).atomic().max(100).doc("Where the manifests are."),
  strategy: enumeration("ApplyOnce", "Reconcile")
    .default("ApplyOnce")
    .doc("ApplyOnce: each is created once. Reconcile: applied again when it changes. Never changes."),
});

/** A selector for everything would be a mistake, and another one would leave manifests behind that nobody looks after. */
export function validateResourceSet(set: KubeObject, old: KubeObject | undefined): FieldError[] {
  const [spec, before] = [set["spec"], old?.["spec"]];
  const path = FieldPath.of("spec");
  const selector = isObject(spec) ? spec["clusterSelector"] : undefined;
  const errors: FieldError[] = [];
  if (isObject(selector) && Object.values(selector).every((part) => !isFilled(part)))
    errors.push(invalid(path.child("clusterSelector"), selector, "selector must not be empty"));
  if (!isObject(spec) || !isObject(before)) return errors;
  for (const field of ["clusterSelector", "strategy"]) {
    if (!equal(spec[field] ?? null, before[field] ?? null)) errors.push(forbidden(path.child(field), "field is immutable"));
  }
  return errors;
}

function isFilled(part: unknown): boolean {
  return typeof part === "object" && part !== null && Object.keys(part).length > 0;
}

/** What both versions have in common. */
export const clusterResourceSet = {
  group: "addons.cluster.x-k8s.io",
  kind: "ClusterResourceSet",
  plural: "clusterresourcesets",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "Manifests that Clusters get by their labels, once their control plane answers.",
  validate: validateResourceSet,
  spec: ClusterResourceSetSpec.doc("Which Clusters get which manifests."),
} as const;

export const ClusterResourceSet = kind({
  ...clusterResourceSet,
  version: "v1beta2",
  columns: [
    {
      name: "Applied",
      type: "string",
      description: "All Clusters have all of it",
      jsonPath: '.status.conditions[?(@.type=="ResourcesApplied")].status',
    },
    ageColumn,
  ],
  status: object({
    conditions: ConditionsV1Beta2.doc("ResourcesApplied, Paused."),
    observedGeneration: int64().min(1).doc("The metadata.generation that was seen last."),
    deprecated: object({ v1beta1: V1Beta1Status.doc("Status of contract v1beta1.") }).doc("What goes when older contracts go."),
  }).doc("What is the case."),
});
export type ClusterResourceSet = Resource<typeof ClusterResourceSet>;
