/**
 * The order by which a machine boots to be installed: Sidero started it, or a person did whom Sidero had asked for that, or who had asked Sidero. A configuration
 * goes to one boot of each order (DESIGN §4.7).
 */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { actionTime, isFor, isStart } from "../lifecycle/action.ts";
import { isByRequest } from "../lifecycle/request.ts";

export interface BootOrder {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The order that is in force for the machine's present holder; undefined: nobody has ordered that it boots. */
export function bootOrderOf({ status }: Server, { metadata: { uid = "" } }: ServerBinding): BootOrder | undefined {
  const { action, allocation, bmc } = status ?? {};
  const since = allocation?.binding === uid ? Date.parse(allocation.since) : Number.POSITIVE_INFINITY;
  if (action !== undefined && isStart(action)) {
    const at = actionTime(action);
    const isOrdered = isFor(action, { do: "boot-environment", context: uid }) || (isByRequest(action) && at >= since);
    if (isOrdered) return { id: action.id, at };
  }
  // Without a BMC it is people who start it: that they allocated it is their order, once.
  return bmc?.way === "bmc" || since === Number.POSITIVE_INFINITY ? undefined : { id: `person/${uid}`, at: since };
}

/** The configuration went out for the order in force: what boots now has had it, and booted again by itself. */
export function isServed(server: Server, binding: ServerBinding): boolean {
  const { configuration } = binding.status ?? {};
  if (configuration === undefined) return false;
  const order = bootOrderOf(server, binding);
  return order === undefined || order.id === configuration.order || order.at <= Date.parse(configuration.servedAt);
}
