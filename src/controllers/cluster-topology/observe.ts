import { machineTemplateOf, type ObservedTopology, templateId, templatesOf } from "#decide/topology/observed.ts";
import { isTemplate } from "#decide/clone.ts";
import { pauseOf } from "#decide/machines/pause.ts";
import { CLUSTER_NAME, TOPOLOGY_DEPLOYMENT_NAME, TOPOLOGY_OWNED } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { ClusterClass, type TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { Index } from "#kube/cache.ts";
import type { ContractReference, GroupKind } from "#kube/contract.ts";
import type { Reader } from "#kube/controller.ts";
import { type Externals, kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";

interface OfCluster extends KubeObject {
  spec?: { clusterName: string };
}

export function clusterKeyOf({ metadata, spec }: OfCluster): string {
  return `${metadata.namespace ?? ""}/${spec?.clusterName ?? ""}`;
}

/** `namespace/name` of the class a Cluster is made from. */
export function classKeyOf({ metadata, spec }: Cluster): string | undefined {
  const reference = spec?.topology?.classRef;
  return reference && `${reference.namespace ?? metadata.namespace ?? ""}/${reference.name}`;
}

/** What topologies have made, found by index. One for each runtime. */
export class Made {
  #deployments: Index<MachineDeployment> | undefined;
  #checks: Index<MachineHealthCheck> | undefined;
  #sets: Index<MachineSet> | undefined;

  deploymentsOf(cluster: string, reader: Reader): MachineDeployment[] {
    this.#deployments ??= reader.of(MachineDeployment).index((each) => (isOwned(each) ? [clusterKeyOf(each)] : []));
    return this.#deployments.get(cluster).filter(({ metadata }) => metadata.labels?.[TOPOLOGY_DEPLOYMENT_NAME] !== undefined);
  }
  setsOf(cluster: string, reader: Reader): MachineSet[] {
    this.#sets ??= reader.of(MachineSet).index((each) => (isOwned(each) ? [clusterKeyOf(each)] : []));
    return this.#sets.get(cluster);
  }
  checksOf(cluster: string, reader: Reader): MachineHealthCheck[] {
    this.#checks ??= reader.of(MachineHealthCheck).index((each) => (isOwned(each) ? [clusterKeyOf(each)] : []));
    return this.#checks.get(cluster);
  }
}

export function isOwned({ metadata }: KubeObject): boolean {
  return metadata.labels?.[TOPOLOGY_OWNED] !== undefined;
}

/** Undefined for a Cluster that is made by hand, and while objects that matter are not known yet. */
export function observeTopology(
  reader: Reader,
  cluster: Cluster | undefined,
  made: Made,
  externals: Externals,
): ObservedTopology | undefined {
  const classKey = cluster && classKeyOf(cluster);
  if (cluster === undefined || classKey === undefined) return undefined;
  const clusterClass = reader.of(ClusterClass).get(classKey);
  const { namespace = "" } = cluster.metadata;
  const sight = new Sight(externals);
  const templates = new Map<string, KubeObject>();
  for (const reference of clusterClass === undefined ? [] : templatesOf(clusterClass)) {
    const object = sight.of(referenceTo(reference), clusterClass?.metadata.namespace ?? "");
    if (object !== undefined) templates.set(templateId(reference), object);
  }
  const { infrastructureRef, controlPlaneRef } = cluster.spec ?? {};
  const infrastructure = infrastructureRef && sight.of(infrastructureRef, namespace);
  const controlPlane = controlPlaneRef && sight.of(controlPlaneRef, namespace);
  const deployments = made.deploymentsOf(keyOf(cluster), reader);
  const sets = made.setsOf(keyOf(cluster), reader);
  const used = [...[machineTemplateOf(controlPlane) ?? []].flat(), ...[...deployments, ...sets].flatMap(templatesIn)];
  const templatesMade = kindsOf(clusterClass).map((kind) => externals.list(kind, namespace));
  if (sight.isUnknown || templatesMade.includes(undefined)) return undefined;
  const isMade = (object: KubeObject): boolean =>
    isOwned(object) && object.metadata.labels?.[CLUSTER_NAME] === cluster.metadata.name;
  const checks = made.checksOf(keyOf(cluster), reader);
  const paused = pauseOf(cluster, cluster);
  return {
    cluster,
    paused,
    clusterClass,
    templates,
    infrastructure,
    controlPlane,
    deployments,
    checks,
    made: templatesMade.flatMap((list) => (list ?? []).filter(isMade)),
    used: new Set(used.map(templateId)),
  };
}

/** Looks, and remembers whether anything was not known yet. */
class Sight {
  isUnknown = false;
  readonly #externals: Externals;

  constructor(externals: Externals) {
    this.#externals = externals;
  }

  of(reference: ContractReference, namespace: string): KubeObject | undefined {
    const look = this.#externals.look(reference, namespace);
    this.isUnknown ||= look.is === "unknown";
    return look.is === "there" ? look.object : undefined;
  }
}

/** Kinds of the templates that clusters of the class have copies of. */
function kindsOf(clusterClass: ClusterClass | undefined): GroupKind[] {
  const { controlPlane, workers } = clusterClass?.spec ?? {};
  const parts = (workers?.machineDeployments ?? []).flatMap(({ bootstrap, infrastructure }) => [bootstrap, infrastructure]);
  const all = [...(controlPlane?.machineInfrastructure === undefined ? [] : [controlPlane.machineInfrastructure]), ...parts];
  const kinds = all.map(({ templateRef }) => referenceTo(templateRef));
  return [...new Map(kinds.map((kind) => [kindIdOf(kind), kind])).values()];
}

export function referenceTo({ apiVersion, kind, name }: TemplateReference): ContractReference {
  return { apiGroup: parseApiVersion(apiVersion)?.group ?? "", kind, name };
}

function templatesIn({ spec }: MachineDeployment | MachineSet): ContractReference[] {
  if (spec === undefined) return [];
  const { bootstrap, infrastructureRef } = spec.template.spec;
  return [infrastructureRef, ...(bootstrap.configRef === undefined ? [] : [bootstrap.configRef])].filter(isTemplate);
}
