/** Events that the service sends by itself (EventService): subscribing, and ending that. */
import { Fault } from "#std/fault.ts";
import { link, texts } from "#wire/redfish/document.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import type { Resources } from "./resources.ts";

export interface Subscription {
  /** Where events are to be sent, an HTTPS URL. */
  readonly destination: string;
  /** Comes back with each event: the only thing that tells from whom it is. Not guessable. */
  readonly context: string;
}

/** Returns the path of the subscription. Faults `bmc.unsupported` (no EventService), `bmc.refused`. */
export async function subscribe(
  resources: Resources,
  map: ServiceMap,
  { destination, context }: Subscription,
  signal: AbortSignal,
): Promise<string> {
  if (map.root.events === undefined) throw bmcFault("unsupported", "this BMC has no EventService");
  const { document } = await resources.get(map.root.events, signal);
  const place = link(document, "Subscriptions");
  if (place === undefined) throw bmcFault("unsupported", "this BMC takes no subscriptions");
  const body = { Destination: destination, Protocol: "Redfish", Context: context };
  const created = await resources.post(place, body, signal).catch((error: unknown) => {
    // Before 2018 they had to say of what types (DSP0268 EventDestination, EventTypes).
    const types = texts(document, "EventTypesForSubscription");
    if (!Fault.is(error, "bmc.refused") || types.length === 0) throw error;
    return resources.post(place, { ...body, EventTypes: types }, signal);
  });
  if (created === undefined) throw bmcFault("malformed", "the BMC does not say where its subscription is");
  return created;
}
