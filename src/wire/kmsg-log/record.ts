/** One message of a machine's log, as Talos sends it: a JSON object, alone in a line of TCP or in a datagram of UDP (facts §7.5). */
import { Fault } from "#std/fault.ts";
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";

export interface LogRecord {
  readonly message: string;
  /** RFC 3339 with up to nine digits of a second, by the machine's clock. */
  readonly time?: string;
  /** info, warning, error, … */
  readonly level?: string;
  /** Of the kernel: kern, user, daemon, … */
  readonly facility?: string;
  /** Of service logs, instead of the facility. */
  readonly service?: string;
  /** Number of the kernel's record: counts from 0 at every boot. */
  readonly sequence?: number;
  /** Microseconds since the kernel started. */
  readonly clock?: number;
  /** The kernel's priority, 0 (emergency) to 7 (debug). */
  readonly priority?: number;
  /** What the configuration adds to every message. */
  readonly tags: readonly (readonly [name: string, value: string])[];
}

/** Of a line or a datagram, in bytes. A kernel message is far below, services write more. */
export const LONGEST_RECORD = 65_536;
const MOST_TAGS = 32;
const LONGEST_WORD = 64;
const LONGEST_TAG = 256;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const KNOWN = new Set(["msg", "talos-time", "talos-level", "talos-service", "facility", "seq", "clock", "priority"]);

/**
 * Throws `peer` Fault `kmsg-log.malformed` for what is no JSON object with a `msg`, or too long. Fields of another type than theirs are
 * left out: a message is worth more than its trimmings.
 */
export function parseRecord(bytes: Uint8Array): LogRecord {
  if (bytes.length > LONGEST_RECORD) throw malformed(`longer than ${LONGEST_RECORD} bytes`);
  const value = readObject(bytes);
  const message = own(value, "msg");
  if (typeof message !== "string") throw malformed("no msg");
  const time = own(value, "talos-time");
  return {
    message: message.replace(/[\r\n]+$/, ""),
    ...(typeof time === "string" && TIME.test(time) ? { time } : {}),
    ...word("level", own(value, "talos-level")),
    ...word("facility", own(value, "facility")),
    ...word("service", own(value, "talos-service")),
    ...count("sequence", own(value, "seq")),
    ...count("clock", own(value, "clock")),
    ...count("priority", own(value, "priority")),
    tags: tagsOf(value),
  };
}

function readObject(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    // What is not UTF-8 becomes U+FFFD: the kernel passes on what drivers and programs write.
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw malformed("no JSON");
  }
  if (!isObject(value)) throw malformed("no JSON object");
  return value;
}

function word(name: "level" | "facility" | "service", value: Json | undefined): Partial<LogRecord> {
  return typeof value === "string" && value !== "" ? { [name]: value.slice(0, LONGEST_WORD) } : {};
}

function count(name: "sequence" | "clock" | "priority", value: Json | undefined): Partial<LogRecord> {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? { [name]: value } : {};
}

function tagsOf(value: JsonObject): [string, string][] {
  return Object.entries(value)
    .filter((entry): entry is [string, string] => !KNOWN.has(entry[0]) && typeof entry[1] === "string")
    .slice(0, MOST_TAGS)
    .map(([name, text]) => [name.slice(0, LONGEST_TAG), text.slice(0, LONGEST_TAG)]);
}

function malformed(problem: string): Fault {
  return new Fault("kmsg-log.malformed", `a log message cannot be read: ${problem}`, {
    fault: "peer",
    retry: "never",
  });
}
