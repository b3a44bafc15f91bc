/** What an EventService sends to those who subscribed (DSP0266 §12.6, DSP0268 Event). */
import { decode, type Document, items, link, text } from "./document.ts";
import { defined } from "./root.ts";
import type { Health } from "./word.ts";

export interface RedfishEvent {
  readonly id?: string;
  /** MessageId without registry and version: `PowerStateChanged`. */
  readonly kind: string;
  readonly message?: string;
  readonly severity: Health;
  /** RFC 3339, as the service has it. */
  readonly at?: string;
  /** The resource it is about. */
  readonly origin?: string;
}

export interface Delivery {
  /** What the subscriber gave when it subscribed; nothing else says from whom this is. */
  readonly context?: string;
  readonly events: readonly RedfishEvent[];
}

const SEVERITY: Readonly<Record<string, Health>> = { ok: "ok", warning: "warning", critical: "critical", informational: "ok" };

/** The body of a POST to the subscriber's address. Throws `peer` Fault `redfish.malformed`. */
export function decodeEvents(bytes: Uint8Array): Delivery {
  const document = decode(bytes);
  return defined<Delivery>({ context: text(document, "Context"), events: items(document, "Events").map(readEvent) });
}

function readEvent(event: Document): RedfishEvent {
  const severity = text(event, "MessageSeverity") ?? text(event, "Severity");
  return defined<RedfishEvent>({
    id: text(event, "EventId"),
    kind: text(event, "MessageId")?.split(".").at(-1) ?? text(event, "EventType") ?? "",
    message: text(event, "Message"),
    severity: SEVERITY[severity?.toLowerCase() ?? ""] ?? "unknown",
    at: text(event, "EventTimestamp"),
    origin: link(event, "OriginOfCondition"),
  });
}
