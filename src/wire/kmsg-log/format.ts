/** A message as a line of JSON, by the names that Talos gives its fields. */
import type { JsonObject } from "#std/json.ts";
import type { LogRecord } from "./record.ts";

/** `more` comes first, and wins over tags of the same names: what we say of a machine, the machine cannot say. */
export function recordObject(record: LogRecord, more: Readonly<Record<string, string>> = {}): JsonObject {
  const { message, time, level, service, facility, sequence, clock, priority, tags } = record;
  const own = {
    ...more,
    msg: message,
    "talos-time": time,
    "talos-level": level,
    "talos-service": service,
    facility,
    seq: sequence,
    clock,
    priority,
  };
  const given = Object.entries(own).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  const free = tags.filter(([name]) => !Object.hasOwn(own, name));
  // Without a prototype's setters: a tag may be called __proto__.
  return Object.fromEntries([...given, ...free]);
}
