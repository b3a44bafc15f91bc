/** ServerBinding: the proof that the machine it holds is installed (`decide/install/`), and where that machine is. */
import { decideInstall } from "#decide/install/install.ts";
import type { InstallEffect, ObservedInstall } from "#decide/install/install.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Index } from "#kube/cache.ts";
import { type Acting, type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { accessKeyOf, observeInstall } from "./observe.ts";
import { Prober, type ProberOptions } from "./prober.ts";

/** One per runtime: it follows the caches of that runtime. */
export function createInstallController(options: ProberOptions): Controller<ServerBinding, ObservedInstall, InstallEffect> {
  const prober = new Prober(options);
  let byAccess: Index<ServerBinding> | undefined;
  const bindingsOf = (key: string, reader: Reader): string[] => {
    byAccess ??= reader.of(ServerBinding).index((binding) => [accessKeyOf(binding) ?? ""]);
    return byAccess.get(key).map(({ metadata }) => metadata.name ?? "");
  };
  return controller<ServerBinding, ObservedInstall, InstallEffect>({
    name: "install",
    kind: ServerBinding,
    reads: [
      on(ServerBinding, ({ type, key }) => {
        if (type === "delete") prober.forget(key);
        return [key];
      }),
      on(Server, ({ key, object, old }) => (object.status?.addresses === old?.status?.addresses ? [] : [key])),
      on(Secret, ({ key }, reader) => (key.endsWith("-talosconfig") ? bindingsOf(key, reader) : [])),
    ],
    writes: [writing(ServerBinding, "status.conditions", "spec.addresses", "spec.hostname")],
    listen(wake) {
      const end = prober.onChange(wake);
      return () => {
        end();
        prober.release();
      };
    },
    observe: (reader, name, binding) => (binding === undefined ? undefined : observeInstall(reader, name, binding, prober)),
    decide: decideInstall,
    act,
  });
}

async function act(effect: InstallEffect, { client, events, signal }: Acting): Promise<void> {
  if (effect.do === "report") {
    const { name, uid, addresses, hostname } = effect;
    await client.for(ServerBinding).patch(name, { metadata: { uid }, spec: { addresses: [...addresses], hostname } }, { signal });
    return;
  }
  const about = {
    apiVersion: apiVersionOf(Server.group, Server.version),
    kind: Server.kind,
    metadata: { name: effect.name, uid: effect.server },
  };
  events.record(about, { type: effect.type, reason: "Server Installation", message: effect.message });
}
