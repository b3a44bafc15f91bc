/**
 * When a machine that calls is to be wiped: only on an order in its Server's status (DESIGN §4.4). Acceptance and de-allocation write such
 * orders; upstream wiped whatever was accepted and not known to be clean, also a machine in use that had lost its way.
 */
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";

/** The order to carry out now. None for a machine that is not accepted, adopted, in use or about to go, whatever is on record. `since`: one from before is of a backup. */
export function wipeOrderOf(server: Server, binding: ServerBinding | undefined, since = 0): WipeOrder | undefined {
  const { spec, status, metadata } = server;
  const order = status?.wipe;
  const isOurs = spec?.accepted === true && spec.adopt !== true && metadata.deletionTimestamp === undefined;
  // An agent that has begun goes on to its end: whoever holds the machine meanwhile gets it then.
  const isFree = binding === undefined && (status?.inUse !== true || order?.state === "started");
  if (order !== undefined && Date.parse(order.orderedAt) < since) return undefined;
  return isOurs && isFree && order !== undefined && order.state !== "done" && order.state !== "withdrawn" ? order : undefined;
}
