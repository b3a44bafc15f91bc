/** What all templates have in common: metadata to hand on, and a spec that never changes. */
import { equal } from "#std/json.ts";
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden } from "#schema/field.ts";
import type { AdmissionContext } from "#schema/kind.ts";
import { map, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";

export const TemplateMetadata = object({
  labels: map(string()).doc("Labels of the objects made from the template."),
  annotations: map(string()).doc("Annotations of the objects made from the template."),
});

/** With this annotation Cluster API's topology controller asks, by dry run, what a change would look like. */
const TOPOLOGY_DRY_RUN = "topology.cluster.x-k8s.io/dry-run";

/**
 * Refuses changes of a template's spec: machines made from it would differ in silence. Changed templates are new templates.
 * Exempt are the topology controller's dry runs (Cluster API contract, InfraMachineTemplate: support for SSA dry run).
 */
export function immutableTemplate(object: KubeObject, old: KubeObject | undefined, { dryRun }: AdmissionContext): FieldError[] {
  const isExempt = dryRun && object.metadata.annotations?.[TOPOLOGY_DRY_RUN] !== undefined;
  if (old === undefined || isExempt || equal(object["spec"], old["spec"])) return [];
  const detail = `${object.kind} spec is immutable: create a new ${object.kind} and refer to that`;
  return [forbidden(FieldPath.of("spec", "template", "spec"), detail)];
}
