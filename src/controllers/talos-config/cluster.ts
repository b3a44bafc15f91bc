/** The Secrets that the machines of one cluster share. It decides about Clusters, though nothing of a Cluster is written. */
import type { ObservedTalosCluster, TalosClusterEffect } from "#decide/talos-config/cluster.ts";
import { decideTalosCluster } from "#decide/talos-config/cluster.ts";
import { standingOf } from "#decide/talos-config/observed.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Pki } from "#io/pki.ts";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosConfig as TalosConfigs } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Acting, Controller, Reader } from "#kube/controller.ts";
import { controller, on, writing } from "#kube/controller.ts";
import { entries, entryOf, Secret } from "#kube/secret.ts";
import { Fault } from "#std/fault.ts";
import { parseContract } from "#talos/contract.ts";
import type { Contract } from "#talos/contract.ts";
import { makeSecrets } from "#talos/secrets.ts";
import type { Secrets } from "#talos/secrets.ts";
import { printSecrets } from "#talos/secrets-text.ts";
import { issueTalosClient, parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";
import type { TalosContext } from "#talos/talosconfig.ts";
import { createSecret, ensureAuthority, ownSecret } from "./act.ts";
import type { Bundles } from "./bundles.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { clusterKeyOf, isControlPlane, ownerOf, pauseOf } from "./owners.ts";
import type { Members } from "./owners.ts";

export interface TalosClusterPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly pki: Pki;
}

/** Milliseconds in which the machines of a cluster that is being made come together. */
const SETTLE = 100;
const SUFFIXES = ["-talos", "-ca", "-talosconfig"];

export function createTalosClusterController(
  ports: TalosClusterPorts,
  bundles: Bundles,
  members: Members,
): Controller<Cluster, ObservedTalosCluster<Secrets>, TalosClusterEffect<Secrets>> {
  return controller({
    name: "talos-cluster",
    kind: Cluster,
    reads: [
      on(TalosConfigs, ({ object }, reader) => {
        const machine = ownerOf(object, reader);
        return machine === undefined ? [] : [clusterKeyOf(machine)];
      }),
      on(Machine, ({ object }) => [clusterKeyOf(object)]),
      on(Secret, ({ key }, reader) => clusterOfSecret(key, reader)),
    ],
    writes: [writing(Secret, "<cluster>-talos", "<cluster>-ca", "<cluster>-talosconfig")],
    settle: () => SETTLE,
    observe: (reader, key, cluster) => observe(reader, key, cluster, ports.pki, bundles, members),
    decide: decideTalosCluster,
    act: (effect, acting) => act(effect, acting, ports),
  });
}

async function observe(
  reader: Reader,
  key: string,
  cluster: Cluster | undefined,
  pki: Pki,
  bundles: Bundles,
  members: Members,
): Promise<ObservedTalosCluster<Secrets> | undefined> {
  if (cluster === undefined) return undefined;
  const { namespace = "", name = "", uid = "", deletionTimestamp } = cluster.metadata;
  const secrets = reader.of(Secret);
  const standing = (suffix: string) => standingOf(secrets.get(key + suffix)?.metadata, { kind: "Cluster", uid }, name);
  const controlPlane = [...members.configsOf(key, reader, isControlPlane)];
  const bundle = standing("-talos");
  const read = await bundles.of(`${key}-talos`, bundle === "stale" ? undefined : secrets.get(`${key}-talos`));
  return {
    cluster: { namespace, name, uid },
    isActive:
      deletionTimestamp === undefined &&
      pauseOf(cluster, cluster) === undefined &&
      cluster.status?.initialization?.infrastructureProvisioned === true,
    generates: bundle === "absent" ? firstOf([...controlPlane, ...members.configsOf(key, reader)]) : undefined,
    hasControlPlane: controlPlane.some(({ spec }) => spec?.generateType === "controlplane" || spec?.generateType === "init"),
    endpoints: endpointsOf(members.machinesOf(key, reader).filter(isControlPlane)),
    bundle,
    secrets: read.secrets,
    authority: standing("-ca"),
    client: standing("-talosconfig"),
    access: read.secrets && accessOf(secrets.get(`${key}-talosconfig`), read.secrets.reveal(), pki),
  };
}

/** The one by which the secrets are made: the first of those in order whose configuration is generated. */
function firstOf(configs: readonly TalosConfig[]): ObservedTalosCluster<Secrets>["generates"] {
  const spec = configs.find((config) => config.spec !== undefined && config.spec.generateType !== "none")?.spec;
  return spec && { talosVersion: spec.talosVersion ?? "" };
}

function endpointsOf(machines: readonly Machine[]): string[] {
  const addresses = machines.flatMap(({ status }) => status?.addresses ?? []);
  const wanted = addresses.filter(({ type }) => type === "InternalIP" || type === "ExternalIP");
  return [...new Set(wanted.map(({ address }) => address))].sort();
}

function accessOf(secret: Secret | undefined, { certs }: Secrets, pki: Pki): ObservedTalosCluster<Secrets>["access"] {
  const context = secret && contextOf(secret);
  const end = context && pki.endOf(context.client.certificate);
  if (context === undefined || end === undefined || context.ca.trim() !== certs.os.certificate.trim()) return undefined;
  return { endpoints: context.endpoints, end };
}

function contextOf(secret: Secret): TalosContext | undefined {
  try {
    return parseTalosconfig(entryOf(secret, "talosconfig") ?? "");
  } catch (error) {
    if (Fault.is(error, "talos.config")) return undefined;
    throw error;
  }
}

/** `namespace/name` of the Cluster that a Secret is one of the three of. */
function clusterOfSecret(key: string, reader: Reader): string[] {
  const names = SUFFIXES.filter((suffix) => key.endsWith(suffix)).map((suffix) => key.slice(0, -suffix.length));
  return names.filter((name) => reader.of(Cluster).get(name) !== undefined);
}

/** One effect; each is harmless when it has already happened. */
async function act(
  effect: TalosClusterEffect<Secrets>,
  acting: Acting,
  { clock, entropy, pki }: TalosClusterPorts,
): Promise<void> {
  const { cluster } = effect;
  switch (effect.do) {
    case "make-bundle": {
      const secrets = await makeSecrets(contractOf(effect.talosVersion), { pki, entropy, now: clock.now() });
      return createSecret(`${cluster.name}-talos`, Cluster, cluster, cluster, { bundle: printSecrets(secrets) }, acting);
    }
    case "own":
      return ownSecret(effect.secretName, Cluster, cluster, acting);
    case "write-authority":
      return ensureAuthority(cluster, effect.secrets.reveal().certs.k8s, acting);
    case "write-client":
      return writeClient(effect, acting, { clock, pki });
  }
}

/** Whose version is none has no configuration anyway; the secrets are much the same for all. */
function contractOf(talosVersion: string): Contract {
  try {
    return parseContract(talosVersion);
  } catch (error) {
    if (Fault.is(error, "talos.options")) return parseContract();
    throw error;
  }
}

type WriteClient = Extract<TalosClusterEffect<Secrets>, { do: "write-client" }>;

async function writeClient(
  { cluster, endpoints, secrets, mint, isNew }: WriteClient,
  acting: Acting,
  { clock, pki }: Pick<TalosClusterPorts, "clock" | "pki">,
): Promise<void> {
  const { os } = secrets.reveal().certs;
  const name = `${cluster.name}-talosconfig`;
  const resource = acting.client.for(Secret).in(cluster.namespace);
  const before = isNew ? undefined : await resource.get(name, { signal: acting.signal });
  const kept = mint || before === undefined ? undefined : contextOf(before);
  const client = kept?.client ?? (await issueTalosClient(os, { pki, now: clock.now() }));
  const texts = { talosconfig: printTalosconfig({ name: cluster.name, endpoints, ca: os.certificate, client }) };
  if (before === undefined) return createSecret(name, Cluster, cluster, cluster, texts, acting);
  const { resourceVersion = "" } = before.metadata;
  await resource.patch(name, { metadata: { resourceVersion }, data: entries(texts) }, { signal: acting.signal });
}
