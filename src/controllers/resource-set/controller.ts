/** ClusterResourceSet: Clusters get their manifests once their control plane answers, and what they have got is on record. */
import { decideResourceSet, type ObservedResourceSet, type ResourceSetEffect } from "#decide/resource-set/decide.ts";
import type { Digest } from "#io/digest.ts";
import { ClusterResourceSet } from "#kinds/addons/v1beta2/cluster-resource-set.ts";
import { ClusterResourceSetBinding } from "#kinds/addons/v1beta2/cluster-resource-set-binding.ts";
import { RESOURCE_SET_FINALIZER } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { Secret } from "#kube/secret.ts";
import type { KubeObject } from "#schema/meta.ts";
import { compileSelector } from "#schema/selector.ts";
import { equal } from "#std/json.ts";
import { act, type ResourceSetDoors } from "./act.ts";
import { ConfigMap, seen } from "./resources.ts";

export interface ResourceSetPorts extends ResourceSetDoors {
  readonly digest: Digest;
}

export function createResourceSetController(
  ports: ResourceSetPorts,
): Controller<ClusterResourceSet, ObservedResourceSet, ResourceSetEffect> {
  return controller({
    name: "cluster-resource-set",
    kind: ClusterResourceSet,
    finalizer: RESOURCE_SET_FINALIZER,
    reads: [
      on(Cluster, (change, reader) => (isSameToSets(change) ? [] : setsOf(change.object, reader))),
      on(Secret, ({ object }, reader) => setsNaming("Secret", object, reader)),
      on(ConfigMap, ({ object }, reader) => setsNaming("ConfigMap", object, reader)),
      on(ClusterResourceSetBinding, ({ object }) =>
        (object.spec?.bindings ?? []).map(({ clusterResourceSetName: name }) => `${object.metadata.namespace}/${name}`),
      ),
    ],
    writes: [
      writing(ClusterResourceSet, "status"),
      writing(ClusterResourceSetBinding, "metadata", "spec"),
      writing(Secret, "owner of manifests"),
      writing(ConfigMap, "owner of manifests"),
    ],
    observe: (reader, _key, set) => (set === undefined ? undefined : observe(reader, set, ports.digest)),
    decide: decideResourceSet,
    act: (effect, acting) => act(effect, acting, ports),
    failed({ set }, fault) {
      const conditions = (set.status?.conditions ?? []).map((condition) =>
        condition.type === "ResourcesApplied" ? { ...condition, message: fault.message.slice(0, 4096) } : condition,
      );
      return { conditions };
    },
  });
}

function observe(reader: Reader, set: ClusterResourceSet, digest: Digest): ObservedResourceSet {
  const { namespace = "" } = set.metadata;
  const isHere = ({ metadata }: KubeObject): boolean => metadata.namespace === namespace;
  const selector = compileSelector(set.spec?.clusterSelector ?? {});
  const clusters = [...reader.of(Cluster).values()].filter(
    (cluster) => isHere(cluster) && selector.matches(cluster.metadata.labels ?? {}),
  );
  const bindings = [...reader.of(ClusterResourceSetBinding).values()].filter(isHere);
  return {
    set,
    resources: (set.spec?.resources ?? []).map((resource) => seen(resource, namespace, reader, digest)),
    clusters: clusters.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    bindings: new Map(bindings.map((binding) => [binding.metadata.name ?? "", binding])),
  };
}

/** Those of its namespace: which of them mean it may be what has changed. */
function setsOf({ metadata }: Cluster, reader: Reader): string[] {
  return [...reader.of(ClusterResourceSet).values()].filter((set) => set.metadata.namespace === metadata.namespace).map(keyOf);
}

function setsNaming(kind: "Secret" | "ConfigMap", { metadata }: KubeObject, reader: Reader): string[] {
  const names = ({ spec }: ClusterResourceSet): boolean =>
    spec?.resources?.some((resource) => resource.kind === kind && resource.name === metadata.name) === true;
  return [...reader.of(ClusterResourceSet).values()]
    .filter((set) => set.metadata.namespace === metadata.namespace && names(set))
    .map(keyOf);
}

function isSameToSets({ type, object, old }: Change<Cluster>): boolean {
  if (type !== "update" || old === undefined) return false;
  const facts = ({ metadata, spec, status }: Cluster): unknown => [
    metadata.labels ?? null,
    metadata.annotations ?? null,
    metadata.deletionTimestamp ?? null,
    spec?.paused ?? false,
    status?.initialization?.controlPlaneInitialized ?? false,
  ];
  return equal(facts(old), facts(object));
}
