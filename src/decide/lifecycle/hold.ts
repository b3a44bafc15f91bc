/** Who switches a machine on or off by request is not to have it undone by the life cycle. */
import type { Machine } from "./machine.ts";

/** What the last request keeps its power at, until the annotation goes or says something else. */
export function holdOf({ wanted, record }: Machine): "on" | "off" | undefined {
  if (wanted.request === undefined || record.request?.value !== wanted.request) return undefined;
  const [verb] = wanted.request.split(" ", 1);
  return verb === "power-on" ? "on" : verb === "power-off" ? "off" : undefined;
}

/** The phase stays what it was while somebody's request is carried out. */
export function phaseAsItWas({ record, seen }: Machine): NonNullable<Machine["record"]["phase"]> {
  return record.phase ?? (seen.binding === undefined ? "Held" : "Allocated");
}
