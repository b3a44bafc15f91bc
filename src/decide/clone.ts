/** Objects made from templates: a TalosConfig from a TalosConfigTemplate, a MetalMachine from a MetalMachineTemplate (facts §2.5). */
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { clone, isObject } from "#std/json.ts";

const CLUSTER_NAME = "cluster.x-k8s.io/cluster-name";
export const CLONED_FROM_NAME = "cluster.x-k8s.io/cloned-from-name";
export const CLONED_FROM_GROUP_KIND = "cluster.x-k8s.io/cloned-from-groupkind";
const TEMPLATE = "Template";

/** What a clone is given beside what the template says. */
export interface CloneOrder {
  readonly name: string;
  readonly namespace: string;
  readonly clusterName: string;
  /** These come over the template's own. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
}

/**
 * The object to create: `spec.template` of the template, named and owned as ordered, in the template's API version. Its kind is the
 * template's without `Template`. Fault `clone.no-template` when the object has no `spec.template`.
 */
export function cloneOf(template: KubeObject, order: CloneOrder): KubeObject {
  const spec = template["spec"];
  const inner = isObject(spec) ? spec["template"] : undefined;
  if (!isObject(inner)) {
    const message = `${template.kind} ${template.metadata.name} has no spec.template to make an object from`;
    throw new Fault("clone.no-template", message, { fault: "caller", retry: "later" });
  }
  const { metadata, apiVersion: _version, kind: _kind, ...rest } = clone(inner);
  const labels = { ...textsOf(metadata, "labels"), ...order.labels, [CLUSTER_NAME]: order.clusterName };
  const annotations = {
    ...textsOf(metadata, "annotations"),
    ...order.annotations,
    [CLONED_FROM_NAME]: template.metadata.name ?? "",
    [CLONED_FROM_GROUP_KIND]: groupKindOf(template),
  };
  const owners = order.owner === undefined ? {} : { ownerReferences: [order.owner] };
  return {
    apiVersion: template.apiVersion,
    kind: template.kind.endsWith(TEMPLATE) ? template.kind.slice(0, -TEMPLATE.length) : template.kind,
    metadata: { name: order.name, namespace: order.namespace, labels, annotations, ...owners },
    ...rest,
  };
}

/** `MetalMachineTemplate.infrastructure.cluster.x-k8s.io`. */
export function groupKindOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${kind}.${parseApiVersion(apiVersion)?.group ?? ""}`;
}

/** Whether the reference is to a template, from which each machine gets an object of its own. */
export function isTemplate({ kind }: { readonly kind: string }): boolean {
  return kind.endsWith(TEMPLATE);
}

function textsOf(metadata: unknown, field: "labels" | "annotations"): Record<string, string> {
  const texts = isObject(metadata) ? metadata[field] : undefined;
  return isObject(texts) ? (texts as Record<string, string>) : {};
}
