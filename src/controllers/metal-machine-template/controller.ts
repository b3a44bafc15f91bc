/** MetalMachineTemplate: its status says what machines made from it will have, from the Servers of its class. */
import { type Capacity, capacityOf, decideMetalMachineTemplate } from "#decide/metal-machine-template.ts";
import { type Membership, membershipOf } from "#decide/server-class.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { equal } from "#std/json.ts";

/** Milliseconds in which the changes of many Servers become one look at all of a class. Hardware seldom changes, and nobody waits for this. */
const SETTLE = 5000;

/** One per runtime. */
export function createMetalMachineTemplateController(): Controller<MetalMachineTemplate, readonly Capacity[], never> {
  return controller<MetalMachineTemplate, readonly Capacity[], never>({
    name: "metal-machine-template",
    kind: MetalMachineTemplate,
    reads: [
      on(MetalMachineTemplate),
      on(ServerClass, ({ key }, reader) => templates(reader, key)),
      on(Server, (change, reader) => (matters(change) ? templates(reader) : [])),
    ],
    writes: [writing(MetalMachineTemplate, "status")],
    settle: () => SETTLE,
    observe,
    decide: decideMetalMachineTemplate,
    act: async () => {},
  });
}

function observe(reader: Reader, _key: string, template: MetalMachineTemplate | undefined): readonly Capacity[] | undefined {
  if (template === undefined) return undefined;
  const { serverRef, serverClassRef } = template.spec?.template.spec ?? {};
  if (serverRef?.name) {
    const server = reader.of(Server).get(serverRef.name);
    return [server && capacityOf(server)].filter((capacity) => capacity !== undefined);
  }
  const name = serverClassRef?.name ?? "";
  const serverClass = reader.of(ServerClass).get(name);
  return serverClass === undefined ? [] : [...capacities(membershipOf(name, serverClass.spec), reader.of(Server).values())];
}

function* capacities(membership: Membership, servers: Iterable<Server>): Generator<Capacity> {
  for (const server of servers) {
    const capacity = membership.placeOf(server) === undefined ? undefined : capacityOf(server);
    if (capacity !== undefined) yield capacity;
  }
}

/** Of the class, or all. */
function templates(reader: Reader, serverClass?: string): string[] {
  const all = [...reader.of(MetalMachineTemplate).values()];
  return all
    .filter(({ spec }) => serverClass === undefined || spec?.template.spec.serverClassRef?.name === serverClass)
    .map(keyOf);
}

/** What decides in which classes a Server is, and what it has. */
function matters({ type, object, old }: Change<Server>): boolean {
  if (type !== "update" || old === undefined) return true;
  const seen = ({ metadata, spec }: Server): unknown => [
    metadata.labels ?? {},
    spec?.accepted === true,
    spec?.cordoned === true,
    spec?.hardware ?? {},
  ];
  return old.metadata.generation !== object.metadata.generation || !equal(seen(old), seen(object));
}
