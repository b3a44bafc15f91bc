/** ServerBinding: `status.ready` says whether the Server it holds exists. */
import { decideServerBinding, type ObservedBinding } from "#decide/server-binding.ts";
import { controller, on, type Controller, type Reader, writing } from "#kube/controller.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";

/** A binding has the name of its Server. Of a Server only coming and going matter. */
function bindingOf(change: Change<Server>): string[] {
  return change.type === "update" ? [] : [change.key];
}

function observe(reader: Reader, name: string, binding: ServerBinding | undefined): ObservedBinding | undefined {
  return binding === undefined ? undefined : { hasServer: reader.of(Server).get(name) !== undefined };
}

export const serverBindingController: Controller<ServerBinding, ObservedBinding, never> = controller({
  name: "server-binding",
  kind: ServerBinding,
  reads: [on(Server, bindingOf)],
  writes: [writing(ServerBinding, "status.ready")],
  observe,
  decide: decideServerBinding,
  act: async () => {},
});
