import type { ConfigInputs, ObservedTalosConfig } from "#decide/talos-config/observed.ts";
import { standingOf } from "#decide/talos-config/observed.ts";
import { dataSecretNameOf } from "#decide/talos-config/decide.ts";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Reader } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import type { Secrets } from "#talos/secrets.ts";
import type { Bundles } from "./bundles.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { clusterKeyOf, ownerOf, pauseOf } from "./owners.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";

/** The config, its Machine and Cluster, and the Secrets around it. */
export async function observeTalosConfig(
  reader: Reader,
  config: TalosConfig | undefined,
  bundles: Bundles,
): Promise<ObservedTalosConfig<Secrets> | undefined> {
  if (config === undefined) return undefined;
  const machine = ownerOf(config, reader);
  const cluster = machine && reader.of(Cluster).get(clusterKeyOf(machine));
  if (machine === undefined || cluster === undefined)
    return { config, paused: undefined, owner: undefined, cluster: undefined, inputs: undefined, bundle: {}, ...NO_SECRETS };
  const { namespace = "", name = "", uid = "" } = cluster.metadata;
  const secrets = reader.of(Secret);
  const [owner, bundle] = [machine.metadata.name ?? "", `${namespace}/${name}-talos`];
  const data = secrets.get(`${namespace}/${dataSecretNameOf(owner)}`);
  return {
    config,
    paused: pauseOf(cluster, config),
    owner: {
      name: owner,
      isDeleting: machine.metadata.deletionTimestamp !== undefined,
      dataSecretName: machine.spec?.bootstrap?.dataSecretName,
    },
    cluster: { namespace, name, uid, isProvisioned: cluster.status?.initialization?.infrastructureProvisioned === true },
    inputs: inputsOf(config, machine, cluster),
    bundle: await bundleOf(bundle, reader, bundles, { uid, name }),
    data: standingOf(data?.metadata, { kind: "TalosConfig", uid: config.metadata.uid ?? "" }, name),
    hasAuthority: secrets.get(`${namespace}/${name}-ca`) !== undefined,
    hasClient: secrets.get(`${namespace}/${name}-talosconfig`) !== undefined,
  };
}

const NO_SECRETS = { data: "absent", hasAuthority: false, hasClient: false } as const;

/** A Secret of an earlier cluster of the name is as good as none. */
function bundleOf(key: string, reader: Reader, bundles: Bundles, { uid, name }: { uid: string; name: string }) {
  const secret = reader.of(Secret).get(key);
  const isStale = standingOf(secret?.metadata, { kind: "Cluster", uid }, name) === "stale";
  return bundles.of(key, isStale ? undefined : secret);
}

function inputsOf({ spec }: TalosConfig, machine: Machine, cluster: Cluster): ConfigInputs | undefined {
  const { controlPlaneEndpoint, clusterNetwork } = cluster.spec ?? {};
  const { host = "", port = 0 } = controlPlaneEndpoint ?? {};
  if (host === "" || port === 0) return undefined;
  const { name = "", kind = "" } = machine.spec?.infrastructureRef ?? {};
  const source = spec?.hostname?.source ?? "";
  return {
    clusterName: cluster.metadata.name ?? "",
    endpoint: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    kubernetesVersion: machine.spec?.version ?? "",
    dnsDomain: clusterNetwork?.serviceDomain ?? "",
    podSubnets: clusterNetwork?.pods?.cidrBlocks ?? [],
    serviceSubnets: clusterNetwork?.services?.cidrBlocks ?? [],
    hostname: source === "MachineName" ? (machine.metadata.name ?? "") : source === "InfrastructureName" ? name : "",
    infrastructureKind: kind,
  };
}
