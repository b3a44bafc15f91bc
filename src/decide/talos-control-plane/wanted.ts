/** Whether a Machine is as the control plane wants it. Decided by equality: what cannot be told of a Machine counts as equal, as upstream has it. */
import { specUp, type TalosConfigSpec } from "#kinds/bootstrap/v1alpha3/talos-config.ts";
import { equal, isObject } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import { parse } from "../lifecycle/time.ts";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";
import { withV } from "../version.ts";

/** What is other than wanted. */
export type Difference = "version" | "talos" | "template" | "config" | "age";

export function differencesOf(observed: ObservedControlPlane, machine: ControlPlaneMachine, now: number): Difference[] {
  const { spec, template } = observed;
  const { version, clonedFrom, config, createdAt } = machine;
  const differences: Difference[] = [];
  if (version !== undefined && withV(version) !== withV(spec.version)) differences.push("version");
  if (
    clonedFrom !== undefined &&
    (clonedFrom.name !== template.name || clonedFrom.groupKind !== `${template.kind}.${template.group}`)
  ) {
    differences.push("template");
  }
  if (config !== undefined && !equal(lean(specUp(config)), lean(specUp(wantedConfig(observed, config)))))
    differences.push("config");
  const after = parse(spec.rollout?.after ?? spec.rolloutAfter);
  if (createdAt < after && now >= after) differences.push("age");
  if (spec.rolloutStrategy?.type === "InPlace" && isOtherTalos(machine, spec.rolloutStrategy.inPlace?.installer))
    differences.push("talos");
  return differences;
}

/** The first machine of an init node stays one: with another configuration it would be replaced as soon as it is there. */
function wantedConfig({ spec: { controlPlaneConfig } }: ObservedControlPlane, present: TalosConfigSpec): TalosConfigSpec {
  if (present.generateType !== "init") return controlPlaneConfig.controlplane;
  return controlPlaneConfig.init ?? { ...controlPlaneConfig.controlplane, generateType: "init" };
}

/** The tag of an image reference is the version it brings; one by digest alone says none. */
function isOtherTalos({ facts }: ControlPlaneMachine, installer: string | undefined): boolean {
  const tag = /:([\w][\w.-]{0,127})(@sha256:[0-9a-f]{64})?$/.exec(installer ?? "")?.[1];
  return tag !== undefined && facts.version !== undefined && facts.version !== tag;
}

/** Without what says nothing: empty lists, texts and objects. */
function lean(value: unknown): Json {
  if (Array.isArray(value)) return value.map(lean);
  if (!isObject(value)) return value as Json;
  const kept = Object.entries(value).flatMap(([key, item]): [string, Json][] => {
    const small = key === "value" ? item : lean(item);
    const isEmpty =
      small === "" || (Array.isArray(small) ? small.length === 0 : isObject(small) && Object.keys(small).length === 0);
    return isEmpty && key !== "value" ? [] : [[key, small]];
  });
  return Object.fromEntries(kept);
}

export interface Standing {
  readonly machine: ControlPlaneMachine;
  readonly differences: readonly Difference[];
}

/** When a Machine that is as wanted will not be any more, by age alone; undefined: never. */
export function agesAt({ spec, machines }: ObservedControlPlane, now: number): number | undefined {
  const after = parse(spec.rollout?.after ?? spec.rolloutAfter);
  return after > now && machines.some(({ createdAt }) => createdAt < after) ? after : undefined;
}
