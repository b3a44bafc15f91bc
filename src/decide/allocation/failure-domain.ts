/** Where a Server stands, as far as failing together goes: a rack, a room, a power feed. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

/** Ours comes first: it is for sites whose zones are not what fails together. */
export const FAILURE_DOMAIN_LABELS = ["metal.sidero.dev/failure-domain", "topology.kubernetes.io/zone"] as const;

/** Undefined: nothing is said of it. */
export function failureDomainOf({ metadata: { labels = {} } }: Server): string | undefined {
  const key = FAILURE_DOMAIN_LABELS.find((label) => Object.hasOwn(labels, label) && labels[label] !== "");
  return key === undefined ? undefined : labels[key];
}
