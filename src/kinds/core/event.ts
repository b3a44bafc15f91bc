/** core/v1 Event. */
import type { KubeObject } from "#schema/meta.ts";
import { define } from "./define.ts";
import { field, int32, microTime, struct, text, time } from "./go.ts";
import { objectReference } from "./reference.ts";

interface Reference {
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiVersion?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

/** Every field may be absent: columns are also rendered from foreign objects. */
interface Event extends KubeObject {
  involvedObject?: Reference;
  source?: { component?: string; host?: string };
  reason?: string;
  type?: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string | null };
  reportingComponent?: string;
  reportingInstance?: string;
}

function firstSeen(event: Event): string | null {
  return event.firstTimestamp ?? event.eventTime ?? null;
}

function lastSeen(event: Event): string | null {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);
}

function source(event: Event): string {
  const { component = event.reportingComponent ?? "", host = event.reportingInstance ?? "" } = event.source ?? {};
  return [component, host].filter((part) => part !== "").join(", ");
}

function involved({ involvedObject = {} }: Event): string {
  return `${involvedObject.kind ?? ""}/${involvedObject.name ?? ""}`.toLowerCase();
}

const series = struct("EventSeries", {
  count: field(int32(), "How often it has happened up to then."),
  lastObservedTime: field(microTime(), "When it happened last.", { always: true }),
});

const eventSource = struct("EventSource", {
  component: field(text(), "The program that reports."),
  host: field(text(), "The machine it runs on."),
});

export const event = define({
  group: "",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  namespaced: true,
  doc: "Something that happened to an object, told by the program that did or saw it. Kept for an hour after it was last written.",
  fields: {
    involvedObject: field(objectReference, "The object this is about.", { required: true }),
    reason: field(text(), "A word for what happened, for programs."),
    message: field(text(), "A sentence for what happened, for people."),
    source: field(eventSource, "Who reports."),
    firstTimestamp: field(time(), "When it was first seen.", { always: true }),
    lastTimestamp: field(time(), "When it was last seen.", { always: true }),
    count: field(int32(), "How often it was seen."),
    type: field(text(), "Normal or Warning; others may come."),
    eventTime: field(microTime(), "When it happened first, to the microsecond.", { always: true }),
    series: field(series, "Present when it happens again and again.", { pointer: true }),
    action: field(text(), "What was done, or not done, about it."),
    related: field(objectReference, "A second object that has part in it.", { pointer: true }),
    reportingComponent: field(text(), "The controller that reports, as a qualified name.", { always: true }),
    reportingInstance: field(text(), "Which instance of that controller.", { always: true }),
  },
  columns: [
    { name: "Last Seen", type: "date", description: "Time since it was last seen.", jsonPath: ".lastTimestamp" },
    { name: "Type", type: "string", description: "Normal or Warning.", jsonPath: ".type" },
    { name: "Reason", type: "string", description: "A word for what happened.", jsonPath: ".reason" },
    { name: "Object", type: "string", description: "The object this is about.", jsonPath: ".involvedObject.name" },
    { name: "Subobject", type: "string", priority: 1, description: "The part of it.", jsonPath: ".involvedObject.fieldPath" },
    { name: "Source", type: "string", priority: 1, description: "Who reports.", jsonPath: ".source.component" },
    { name: "Message", type: "string", description: "What happened.", jsonPath: ".message" },
    { name: "First Seen", type: "date", priority: 1, description: "Time since it was first seen.", jsonPath: ".firstTimestamp" },
    { name: "Count", type: "integer", priority: 1, description: "How often it was seen.", jsonPath: ".count" },
    { name: "Name", type: "string", format: "name", priority: 1, description: "Name of the event.", jsonPath: ".metadata.name" },
  ],
  strategy: {
    createOnUpdate: true,
    timeToLive: { seconds: 3600, times: (object) => [lastSeen(object), (object as Event).lastTimestamp] },
    fields(object) {
      const { involvedObject = {}, reason = "", reportingComponent = "", source: from, type = "" } = object as Event;
      return {
        "involvedObject.kind": involvedObject.kind ?? "",
        "involvedObject.namespace": involvedObject.namespace ?? "",
        "involvedObject.name": involvedObject.name ?? "",
        "involvedObject.uid": involvedObject.uid ?? "",
        "involvedObject.apiVersion": involvedObject.apiVersion ?? "",
        "involvedObject.resourceVersion": involvedObject.resourceVersion ?? "",
        "involvedObject.fieldPath": involvedObject.fieldPath ?? "",
        reason,
        reportingComponent,
        source: from?.component ?? reportingComponent,
        type,
      };
    },
    cells: {
      "Last Seen": (object) => lastSeen(object),
      "First Seen": (object) => firstSeen(object),
      Object: (object) => involved(object),
      Source: (object) => source(object),
      Count: (object) => (object as Event).series?.count ?? ((object as Event).count || 1),
    },
  },
});
