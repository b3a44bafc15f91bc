/** Why a Server of a class cannot be had right now, and how that is told when nothing else is left. */
import { REQUEST_ANNOTATION } from "#kinds/metal/v1alpha2/server.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { PAUSED } from "#kinds/cluster/keys.ts";

/** In the order in which they are looked for and told. One of a Server is enough. */
export const EXCLUSIONS = {
  "in-use": "in use",
  promised: "promised to another MetalMachine",
  "not-accepted": "not accepted",
  cordoned: "cordoned",
  deleting: "being deleted",
  adopted: "adopted",
  paused: "paused",
  failed: "given up until somebody looks",
  "not-clean": "not clean (yet)",
  "kept-off": "kept off by request",
  "bmc-unusable": "whose BMC cannot be used",
  "bmc-silent": "whose BMC does not answer",
  unhealthy: "whose BMC says that the hardware is in a critical state",
  elsewhere: "in other failure domains",
} as const;
export type Exclusion = keyof typeof EXCLUSIONS;

/** What of the Server itself keeps it from being allocated; undefined: nothing. Whether somebody holds it is for others to say. */
export function exclusionOf({ metadata, spec, status = {} }: Server): Exclusion | undefined {
  if (status.inUse === true) return "in-use";
  if (spec?.accepted !== true) return "not-accepted";
  if (spec.cordoned === true) return "cordoned";
  return unfitOf({ metadata, spec, status });
}

/** As {@link exclusionOf} for a Server that is asked for by name: being cordoned keeps it only from being picked. */
export function refusalOf(server: Server): Exclusion | undefined {
  const exclusion = exclusionOf(server);
  return exclusion === "cordoned" ? unfitOf(server) : exclusion;
}

function unfitOf({ metadata, spec, status = {} }: Pick<Server, "metadata" | "spec" | "status">): Exclusion | undefined {
  const { bmc, phase, request } = status;
  if (metadata.deletionTimestamp !== undefined) return "deleting";
  if (spec?.adopt === true) return "adopted";
  if (metadata.annotations?.[PAUSED] !== undefined || phase === "Paused") return "paused";
  if (phase === "Failed") return "failed";
  if (status.isClean !== true) return "not-clean";
  const wanted = metadata.annotations?.[REQUEST_ANNOTATION];
  if (wanted?.startsWith("power-off") === true && !(request?.value === wanted && request.outcome.startsWith("refused")))
    return "kept-off";
  if (bmc?.way === "unusable") return "bmc-unusable";
  if (bmc?.breaker === "open") return "bmc-silent";
  return bmc?.health === "critical" ? "unhealthy" : undefined;
}

/** Of the Servers that a class would have if all of them were accepted and none cordoned. */
export interface Census {
  readonly serverClass: string;
  readonly failureDomain: string | undefined;
  /** Servers there are at all. */
  readonly servers: number;
  readonly matched: number;
  readonly excluded: ReadonlyMap<Exclusion, number>;
}

/** `8 of 40 Servers match ServerClass workers: 5 in use, 3 not clean (yet)`. */
export function printCensus({ serverClass, failureDomain, servers, matched, excluded }: Census): string {
  if (matched === 0) return `none of ${servers} Servers matches ServerClass ${serverClass}`;
  const reasons = Object.entries(EXCLUSIONS).flatMap(([key, words]) => {
    const count = excluded.get(key as Exclusion) ?? 0;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const where = failureDomain === undefined ? "" : `; one in failure domain ${failureDomain} is wanted`;
  return `${matched} of ${servers} Servers match ServerClass ${serverClass}: ${reasons.join(", ")}${where}`;
}
