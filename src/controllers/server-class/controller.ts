/** ServerClass: its status lists the Servers in it, those that can be had and those that are held. */
import { ANY, type ClassEffect, decideServerClass, type ObservedClass } from "#decide/server-class.ts";
import { type Controller, controller, on, writing } from "#kube/controller.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { act } from "./act.ts";
import { observeServerClass } from "./observe.ts";
import { Roster } from "./roster.ts";

/**
 * Milliseconds in which the changes of many Servers become one write, and what each name in the lists adds to them: a write costs as
 * much as its lists are long, so a class of 10,000 is written once a second at most.
 */
const SETTLE = 100;
const SETTLE_NAME = 0.1;

/** One per runtime: it follows the caches of that runtime. */
export function createServerClassController(roster: Roster = new Roster()): Controller<ServerClass, ObservedClass, ClassEffect> {
  return controller({
    name: "server-class",
    kind: ServerClass,
    reads: [
      on(Server, (change) => roster.serverChanged(change)),
      on(ServerClass, (change, reader) => roster.classChanged(change, reader.of(Server).values())),
    ],
    writes: [writing(ServerClass, "spec.qualifiers", "status.serversAvailable", "status.serversInUse")],
    always: [ANY],
    settle: (name) => SETTLE + SETTLE_NAME * roster.sizeOf(name),
    observe: (_reader, name, serverClass) => observeServerClass(roster, name, serverClass),
    decide: decideServerClass,
    act,
  });
}
