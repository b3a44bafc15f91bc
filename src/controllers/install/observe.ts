/** What an installation is decided on, and where the machine is asked. Nothing is decided here. */
import { macsOf } from "#decide/boot/entitlement.ts";
import { isSettled, type ObservedInstall } from "#decide/install/install.ts";
import { CLUSTER_LABEL } from "#decide/lifecycle/server.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Reader } from "#kube/controller.ts";
import { entryOf, Secret } from "#kube/secret.ts";
import type { ClusterCondition } from "#schema/condition.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";
import type { Prober, ProbeTarget } from "./prober.ts";

export function observeInstall(reader: Reader, name: string, binding: ServerBinding, prober: Prober): ObservedInstall {
  const { configuration, conditions = [] } = binding.status ?? {};
  const { addresses = [], hostname = "" } = binding.spec ?? {};
  const target =
    configuration === undefined || isSettled({ conditions: conditions as ClusterCondition[], addresses })
      ? undefined
      : targetOf(reader, name, binding);
  if (target === undefined) prober.forget(name);
  else prober.follow(name, target);
  const { proof, trouble } = prober.facts(name);
  return {
    name,
    uid: binding.metadata.uid ?? "",
    server: reader.of(Server).get(name)?.metadata.uid ?? "",
    conditions: conditions as ClusterCondition[],
    addresses,
    hostname,
    ...(configuration && { servedAt: configuration.servedAt, servedTo: configuration.address }),
    ...(proof && { proof }),
    ...(trouble !== undefined && { trouble }),
  };
}

/** Key of the Secret with the access to the cluster's machines; undefined for a machine of no cluster. */
export function accessKeyOf({ metadata, spec }: ServerBinding): string | undefined {
  const cluster = metadata.labels?.[CLUSTER_LABEL];
  const namespace = spec?.metalMachineRef.namespace;
  return cluster && namespace ? `${namespace}/${cluster}-talosconfig` : undefined;
}

/** Undefined: there is nobody to ask, or nothing to ask with. */
function targetOf(reader: Reader, name: string, binding: ServerBinding): ProbeTarget | undefined {
  const { configuration } = binding.status ?? {};
  const server = reader.of(Server).get(name);
  const secret = reader.of(Secret).get(accessKeyOf(binding) ?? "");
  const text = secret && entryOf(secret, "talosconfig");
  if (configuration === undefined || server === undefined || text === undefined) return undefined;
  try {
    const { ca, client } = parseTalosconfig(text);
    const reported = server.status?.addresses?.filter(({ type }) => type === "InternalIP").map(({ address }) => address) ?? [];
    const addresses = [
      ...(configuration.addresses ?? []),
      configuration.address,
      ...(binding.spec?.addresses ?? []),
      ...reported,
    ];
    return {
      uid: binding.metadata.uid ?? "",
      addresses: [...new Set(addresses)],
      macs: macsOf(server),
      ca,
      crt: client.certificate,
      key: client.key,
      since: Date.parse(configuration.servedAt),
    };
  } catch {
    // Somebody has written something else into it: then only the machine itself can say that it is installed.
    return undefined;
  }
}
