/** How Pods are treated when the Node of a Machine is drained. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, required } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, enumeration, int32, object } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { LabelSelector } from "../../selector.ts";
import { ageColumn } from "./machine.ts";

const MachineDrainRuleSpec = object({
  drain: object({
    behavior: enumeration("Drain", "Skip", "WaitCompleted")
      .required()
      .doc("Drain: Pods are evicted. Skip: they are let be. WaitCompleted: their end is waited for."),
    order: int32().doc("Pods of a lower order go first; 0 when nothing is said. Only with Drain."),
  })
    .required()
    .doc("What becomes of the Pods."),
  machines: array(
    object({
      selector: LabelSelector.doc("Labels of the Machines."),
      clusterSelector: LabelSelector.doc("Labels of their Clusters."),
    }).min(1),
  )
    .atomic()
    .min(1)
    .max(32)
    .doc("Machines it is for, of the same namespace; no list: all of them."),
  pods: array(
    object({
      selector: LabelSelector.doc("Labels of the Pods."),
      namespaceSelector: LabelSelector.doc("Labels of their namespaces, in the workload cluster."),
    }).min(1),
  )
    .atomic()
    .min(1)
    .max(32)
    .doc("Pods it is for; no list: all of them."),
});

function validate(rule: KubeObject): FieldError[] {
  const drain = (rule as MachineDrainRule).spec?.drain;
  const path = FieldPath.of("spec");
  if (drain === undefined) return [required(path.child("drain"))];
  if (drain.behavior === "Drain" || drain.order === undefined) return [];
  return [forbidden(path.child("drain").child("order"), `order must not be set if drain behavior is "${drain.behavior}"`)];
}

/** What both versions have in common: everything. */
export const machineDrainRule = {
  group: "cluster.x-k8s.io",
  kind: "MachineDrainRule",
  plural: "machinedrainrules",
  shortNames: ["mdr"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "How Pods are treated when Nodes of Machines are drained. Of several rules that mean a Pod, the first by name counts.",
  validate,
  columns: [
    { name: "Behavior", type: "string", description: "What becomes of the Pods", jsonPath: ".spec.drain.behavior" },
    { name: "Order", type: "string", description: "Which go first", jsonPath: ".spec.drain.order" },
    ageColumn,
  ],
  spec: MachineDrainRuleSpec.doc("Which Pods, and what becomes of them."),
} as const;

export const MachineDrainRule = kind({ ...machineDrainRule, version: "v1beta2" });
export type MachineDrainRule = Resource<typeof MachineDrainRule>;
