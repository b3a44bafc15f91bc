/** Machines that are all alike, and how they become others when what is wanted of them changes. */
import { FieldPath, type FieldError } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { boolean, dateTime, enumeration, object } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { specOf } from "../defaulting.ts";
import { DEPLOYMENT_NAME } from "../keys.ts";
import { childOf, defaultSet, validateRollingUpdate, validateSet, validateShare } from "../sets.ts";
import { ageColumn, clusterColumn } from "./machine.ts";
import { MachineTemplateSpec } from "./machine-spec.ts";
import {
  deprecated,
  MachineNaming,
  pausedColumn,
  setColumns,
  setCounts,
  SetDeletion,
  setFields,
  setScale,
  versionColumn,
} from "./machine-set.ts";
import { ConditionsV1Beta2, Share } from "./template.ts";
import { RolloutStrategy } from "./topology.ts";

export const DEPLOYMENT_PHASES = ["ScalingUp", "ScalingDown", "Running", "Failed", "Unknown"] as const;
export type DeploymentPhase = (typeof DEPLOYMENT_PHASES)[number];

export const pausedField = boolean().doc("Machines are not replaced; their number is still kept.");

/** What all versions have in common. */
export const machineDeployment = {
  group: "cluster.x-k8s.io",
  kind: "MachineDeployment",
  plural: "machinedeployments",
  shortNames: ["md"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "Machines that are all alike, replaced a few at a time when what is wanted of them changes.",
  scale: setScale,
} as const;

/** `strategy` is where the version has it. */
export function defaultStrategy(strategy: Record<string, unknown> | undefined): void {
  if (strategy === undefined) return;
  strategy["type"] ??= "RollingUpdate";
  if (strategy["type"] !== "RollingUpdate") return;
  strategy["rollingUpdate"] = { maxSurge: 1, maxUnavailable: 0, ...(strategy["rollingUpdate"] as object | undefined) };
}

export interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string };
}

export function validateStrategy(strategy: Strategy | undefined, path: FieldPath): FieldError[] {
  const rolling = strategy?.rollingUpdate;
  return rolling === undefined ? [] : validateRollingUpdate(rolling, path.child("rollingUpdate"));
}

function validate(deployment: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = deployment["spec"] as { readonly rollout?: { readonly strategy?: Strategy } } | undefined;
  const path = FieldPath.of("spec", "rollout", "strategy");
  return [...validateSet(deployment, old), ...validateStrategy(spec?.rollout?.strategy, path)];
}

export const MachineDeployment = kind({
  ...machineDeployment,
  version: "v1beta2",
  validate,
  default(deployment: KubeObject, old: KubeObject | undefined) {
    defaultSet(deployment, old, DEPLOYMENT_NAME, true);
    defaultStrategy(childOf(childOf(specOf(deployment), "rollout"), "strategy"));
  },
  columns: [
    clusterColumn,
    {
      name: "Available",
      type: "string",
      description: "Enough machines are available",
      jsonPath: '.status.conditions[?(@.type=="Available")].status',
    },
    ...setColumns.map((column) =>
      column.name === "Available" ? { ...column, name: "Available Machines", priority: 1 } : column,
    ),
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    pausedColumn,
    ageColumn,
    versionColumn,
  ],
  spec: object({
    ...setFields,
    template: MachineTemplateSpec.required().doc("What each machine is made from."),
    rollout: object({
      after: dateTime().doc("Machines made before this time are replaced, once it has come."),
      strategy: RolloutStrategy.doc("How machines are replaced."),
    })
      .min(1)
      .doc("When and how machines are replaced."),
    machineNaming: MachineNaming.doc("How machines are named."),
    remediation: object({
      maxInFlight: Share.check(validateShare).doc("How many machines are remedied at a time. Default: all."),
    })
      .min(1)
      .doc("What is done about unhealthy machines."),
    deletion: SetDeletion.doc("Which machines go first."),
    paused: pausedField,
  }).doc("What is wanted."),
  status: object({
    conditions: ConditionsV1Beta2.doc(
      "Available, MachinesReady, MachinesUpToDate, RollingOut, ScalingUp, ScalingDown, Remediating, Deleting, Paused.",
    ),
    ...setCounts,
    phase: enumeration(...DEPLOYMENT_PHASES).doc("Where it stands, as one word."),
    deprecated,
  }).doc("What is the case."),
});
export type MachineDeployment = Resource<typeof MachineDeployment>;
