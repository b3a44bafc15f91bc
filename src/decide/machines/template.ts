/** When two templates make the same machines, and what changes of a template reach machines that are there (§2.6). */
import type { MachineSpec, MachineTemplateSpec } from "#kinds/cluster/v1beta2/machine-spec.ts";
import { equal } from "#std/json.ts";
import { withV } from "../version.ts";

/** Fields that machines are given while they run; all others need new machines. */
export const IN_PLACE = ["readinessGates", "deletion", "minReadySeconds", "taints"] as const satisfies (keyof MachineSpec)[];

/** Seconds; what a Machine that does not say gets. */
const NODE_DELETION = 10;

/** The in-place fields as a Machine has them once the server has filled in what was not said. */
export function inPlaceFields(spec: MachineSpec): Pick<MachineSpec, (typeof IN_PLACE)[number]> {
  const { readinessGates, minReadySeconds, taints } = spec;
  return {
    deletion: { nodeDeletionTimeoutSeconds: NODE_DELETION, ...spec.deletion },
    ...(readinessGates === undefined ? {} : { readinessGates }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(taints === undefined ? {} : { taints }),
  };
}

/** Why machines of the template `current` are not what `wanted` asks for; empty when they are. Equality decides, not a hash. */
export function outdated(current: MachineSpec, wanted: MachineSpec): string[] {
  const reasons: string[] = [];
  const tell = (what: string, a: unknown, b: unknown): void => {
    if (!equal(a ?? null, b ?? null)) reasons.push(`${what} ${textOf(a)}, ${textOf(b)} required`);
  };
  // One that was stored before the server put the v there is the same.
  tell("Version", current.version && withV(current.version), wanted.version && withV(wanted.version));
  const [config, wantedConfig] = [current.bootstrap.configRef, wanted.bootstrap.configRef];
  // A Secret's name is filled in from the object, where there is one.
  if (config === undefined && wantedConfig === undefined)
    tell("spec.bootstrap.dataSecretName", current.bootstrap.dataSecretName, wanted.bootstrap.dataSecretName);
  else tell(wantedConfig?.kind ?? config!.kind, config, wantedConfig);
  tell(wanted.infrastructureRef.kind, current.infrastructureRef, wanted.infrastructureRef);
  tell("Failure domain", current.failureDomain, wanted.failureDomain);
  return reasons;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "name" in value ? String(value.name) : "none";
}

/** What of a template decides whether machines are replaced, for the hash that labels them. */
export function rolledFields({ spec }: MachineTemplateSpec): Partial<MachineSpec> {
  const { clusterName: _cluster, providerID: _provider, ...rest } = spec;
  return Object.fromEntries(Object.entries(rest).filter(([field]) => !IN_PLACE.some((each) => each === field)));
}
