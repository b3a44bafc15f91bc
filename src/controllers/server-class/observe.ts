import type { ObservedClass } from "#decide/server-class.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Roster } from "./roster.ts";

/** The class and its lists as the roster has them. */
export function observeServerClass(roster: Roster, name: string, serverClass: ServerClass | undefined): ObservedClass {
  const { available = [], inUse = [], problem, failures = new Map<string, string>() } = roster.membersOf(name) ?? {};
  return { name, serverClass, available, inUse, problem, failures };
}
