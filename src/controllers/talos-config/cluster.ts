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
import { Sealed } from "#std/sealed.ts";
import { parseContract } from "#talos/contract.ts";
import type { Contract } from "#talos/contract.ts";
import { makeSecrets } from "#talos/secrets.ts";
import type { KeyPair } from "#talos/pki.ts";
import { printSecrets } from "#talos/secrets-text.ts";
import { issueTalosClient, parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";
import type { TalosContext } from "#talos/talosconfig.ts";
import { createSecret, ensureAuthority, ownSecret } from "./act.ts";
import type { Bundles } from "./bundles.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { clusterKeyOf, configKeyOf, isControlPlane, ownerOf, pauseOf } from "./owners.ts";
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
): Controller<Cluster, ObservedTalosCluster<KeyPair>, TalosClusterEffect<KeyPair>> {
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
): Promise<ObservedTalosCluster<KeyPair> | undefined> {
  if (cluster === undefined) return undefined;
  const { namespace = "", name = "", uid = "", deletionTimestamp } = cluster.metadata;
  const secrets = reader.of(Secret);
  const standing = (suffix: string) => standingOf(secrets.get(key + suffix)?.metadata, { kind: "Cluster", uid }, name);
  const bundle = standing("-talos");
  const read = await bundles.of(`${key}-talos`, bundle === "stale" ? undefined : secrets.get(`${key}-talos`));
  const plane = controlPlaneOf(key, reader, members, bundles);
  const talos = read.secrets === undefined ? plane.given : new Sealed(read.secrets.reveal().certs.os);
  return {
    cluster: { namespace, name, uid },
    isActive:
      deletionTimestamp === undefined &&
      pauseOf(cluster, cluster) === undefined &&
      cluster.status?.initialization?.infrastructureProvisioned === true,
    generates: bundle === "absent" ? firstOf([...plane.configs, ...members.configsOf(key, reader)]) : undefined,
    hasControlPlane: plane.given !== undefined || plane.configs.some(isBoss),
    endpoints: endpointsOf(plane.machines),
    bundle,
    kubernetes: read.secrets && new Sealed(read.secrets.reveal().certs.k8s),
    talos,
    authority: standing("-ca"),
    client: standing("-talosconfig"),
    access: talos && accessOf(secrets.get(`${key}-talosconfig`), talos.reveal(), pki),
  };
}

interface ControlPlane {
  readonly machines: readonly Machine[];
  readonly configs: readonly TalosConfig[];
  /** Talos' authority, from a configuration that a person gave. */
  readonly given: Sealed<KeyPair> | undefined;
}

/** By their label, or, where somebody gave configurations and no labels, by what is in them. */
function controlPlaneOf(key: string, reader: Reader, members: Members, bundles: Bundles): ControlPlane {
  const configs = reader.of(TalosConfigs);
  const all = members.machinesOf(key, reader).map((machine) => {
    const config = configs.get(configKeyOf(machine) ?? "");
    return { machine, config, given: config && bundles.givenBy(config) };
  });
  const plane = all.filter(({ machine, given }) => given !== undefined || isControlPlane(machine));
  return {
    machines: plane.map(({ machine }) => machine),
    configs: plane.map(({ config }) => config).filter((config) => config !== undefined),
    given: plane.find(({ given }) => given !== undefined)?.given,
  };
}

function isBoss({ spec }: TalosConfig): boolean {
  return spec?.generateType === "controlplane" || spec?.generateType === "init";
}

/** The one by which the secrets are made: the first of those in order whose configuration is generated. */
function firstOf(configs: readonly TalosConfig[]): ObservedTalosCluster<KeyPair>["generates"] {
  const spec = configs.find((config) => config.spec !== undefined && config.spec.generateType !== "none")?.spec;
  return spec && { talosVersion: spec.talosVersion ?? "" };
}

function endpointsOf(machines: readonly Machine[]): string[] {
  const addresses = machines.flatMap(({ status }) => status?.addresses ?? []);
  const wanted = addresses.filter(({ type }) => type === "InternalIP" || type === "ExternalIP");
  return [...new Set(wanted.map(({ address }) => address))].sort();
}

function accessOf(secret: Secret | undefined, authority: KeyPair, pki: Pki): ObservedTalosCluster<KeyPair>["access"] {
  const context = secret && contextOf(secret);
  const end = context && pki.endOf(context.client.certificate);
  if (context === undefined || end === undefined || context.ca.trim() !== authority.certificate.trim()) return undefined;
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
  effect: TalosClusterEffect<KeyPair>,
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
      return ensureAuthority(cluster, effect.authority.reveal(), acting);
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

type WriteClient = Extract<TalosClusterEffect<KeyPair>, { do: "write-client" }>;

async function writeClient(
  { cluster, endpoints, authority, mint, isNew }: WriteClient,
  acting: Acting,
  { clock, pki }: Pick<TalosClusterPorts, "clock" | "pki">,
): Promise<void> {
  const os = authority.reveal();
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
