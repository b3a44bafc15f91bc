/** Who switches a machine on or off by request is not to have it undone by the life cycle. */
import type { Machine, Wait } from "./machine.ts";
import { requestCommand } from "./told.ts";

/** What the last request keeps its power at, until the annotation goes or says something else; one that was refused keeps nothing. */
export function holdOf({ wanted, record }: Machine): "on" | "off" | undefined {
  if (wanted.request === undefined || record.request?.value !== wanted.request) return undefined;
  if (record.request.outcome.startsWith("refused")) return undefined;
  const [verb] = wanted.request.split(" ", 1);
  return verb === "power-on" ? "on" : verb === "power-off" ? "off" : undefined;
}

export function keptOff({ name }: Machine): Wait {
  const waitingFor = "its request power-off to go, or another one: it stays off until then";
  return { reason: "KeptOff", waitingFor, remedy: requestCommand(name, "power-on") };
}

/** The phase stays what it was while somebody's request is carried out. */
export function phaseAsItWas({ record, seen }: Machine): NonNullable<Machine["record"]["phase"]> {
  return record.phase ?? (seen.binding === undefined ? "Held" : "Allocated");
}
