/** Whether a MetalMachine is to be given a Server of its class. */
import type { Wish } from "../allocation/choose.ts";
import { ownBinding } from "./binding.ts";
import { groupOf } from "./group.ts";
import type { Surroundings } from "./observed.ts";
import { wasAllocated } from "./status.ts";

/** What it wants; undefined: nothing, or not yet. */
export function wishOf(surroundings: Surroundings): Wish | undefined {
  const { machine, paused, owner, cluster, bindings } = surroundings;
  const { metadata, spec } = machine;
  const isWaited = owner?.hasData !== true || cluster?.isProvisioned !== true;
  if (paused !== undefined || metadata.deletionTimestamp !== undefined || isWaited) return undefined;
  const serverClass = spec?.serverClassRef?.name ?? "";
  const hasOne = (spec?.serverRef?.name ?? "") !== "" || (spec?.providerID ?? "") !== "" || wasAllocated(machine);
  if (serverClass === "" || hasOne || ownBinding(machine, bindings) !== undefined) return undefined;
  return { serverClass, failureDomain: domainOf(surroundings), group: groupOf(metadata.namespace ?? "", metadata.labels) };
}

/** The failure domain that is wanted: the Machine's word counts, where contract v1beta1 had our own field as well. */
export function domainOf({ owner, machine }: Pick<Surroundings, "owner" | "machine">): string | undefined {
  return owner?.failureDomain || machine.spec?.failureDomain || undefined;
}
