/** Everything that a decision about a Cluster's topology rests on. */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { ClusterClass, TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject } from "#std/json.ts";

export interface ObservedTopology {
  readonly cluster: Cluster;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  readonly clusterClass: ClusterClass | undefined;
  /** The class's templates, by {@link templateId}; what is missing is not there. */
  readonly templates: ReadonlyMap<string, KubeObject>;
  /** Objects of the topology as they are; undefined: there is none. */
  readonly infrastructure: KubeObject | undefined;
  readonly controlPlane: KubeObject | undefined;
  readonly deployments: readonly MachineDeployment[];
  readonly checks: readonly MachineHealthCheck[];
  /** Templates that were made for the cluster. */
  readonly made: readonly KubeObject[];
  /** Templates that machines are, or may again be, made from, by {@link templateId}. */
  readonly used: ReadonlySet<string>;
}

export function templateId({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

/** All templates that a class names. */
export function templatesOf({ spec }: ClusterClass): TemplateReference[] {
  if (spec === undefined) return [];
  const { infrastructure, controlPlane, workers } = spec;
  return [
    infrastructure.templateRef,
    controlPlane.templateRef,
    ...(controlPlane.machineInfrastructure === undefined ? [] : [controlPlane.machineInfrastructure.templateRef]),
    ...(workers?.machineDeployments ?? []).flatMap((each) => [each.bootstrap.templateRef, each.infrastructure.templateRef]),
  ];
}

/** What a control plane's machines are made from: `spec.machineTemplate.spec.infrastructureRef` (contract v1beta2). */
export function machineTemplateOf(controlPlane: KubeObject | undefined): TemplateName | undefined {
  let value: unknown = controlPlane;
  for (const field of ["spec", "machineTemplate", "spec", "infrastructureRef"])
    value = isObject(value) ? value[field] : undefined;
  if (!isObject(value)) return undefined;
  const { apiGroup, kind, name } = value;
  return typeof apiGroup === "string" && typeof kind === "string" && typeof name === "string"
    ? { apiGroup, kind, name }
    : undefined;
}

export interface TemplateName {
  readonly apiGroup: string;
  readonly kind: string;
  readonly name: string;
}
