/** MetalCluster: ready once somebody has said where the API server will be; it tells Cluster API which failure domains there are. */
import { decideMetalCluster, FINALIZER, type ObservedMetalCluster } from "#decide/metal-cluster.ts";
import { pauseOf } from "#decide/pause.ts";
import { MANAGED_BY } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { Domains } from "./domains.ts";

/** One per runtime: it follows the caches of that runtime. */
export function createMetalClusterController(): Controller<MetalCluster, ObservedMetalCluster, never> {
  const domains = new Domains();
  return controller<MetalCluster, ObservedMetalCluster, never>({
    name: "metal-cluster",
    kind: MetalCluster,
    reads: [
      on(MetalCluster),
      on(Cluster, (change) => (matters(change) ? [metalClusterOf(change.object) ?? []].flat() : [])),
      on(Server, (change, reader) => (domains.changed(change) ? [...reader.of(MetalCluster).values()].map(keyOf) : [])),
    ],
    writes: [writing(MetalCluster, "status")],
    finalizer: FINALIZER,
    observe: (reader, _key, metalCluster) => observe(reader, metalCluster, domains),
    decide: decideMetalCluster,
    act: async () => {},
  });
}

function observe(reader: Reader, metalCluster: MetalCluster | undefined, domains: Domains): ObservedMetalCluster | undefined {
  // Contract: somebody else's to look after, its status included.
  if (metalCluster === undefined || metalCluster.metadata.annotations?.[MANAGED_BY] !== undefined) return undefined;
  const cluster = ownerOf(metalCluster, reader);
  const { host = "", port = 0 } = cluster?.spec?.controlPlaneEndpoint ?? {};
  return {
    metalCluster,
    paused: pauseOf(cluster, metalCluster),
    cluster: cluster && { name: cluster.metadata.name ?? "", hasEndpoint: host !== "" && port > 0 },
    failureDomains: domains.names,
  };
}

function ownerOf({ metadata }: MetalCluster, reader: Reader): Cluster | undefined {
  const reference = metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => kind === Cluster.kind && apiVersion.startsWith(`${Cluster.group}/`),
  );
  const cluster = reference && reader.of(Cluster).get(`${metadata.namespace}/${reference.name}`);
  return cluster?.metadata.uid === reference?.uid ? cluster : undefined;
}

function metalClusterOf({ metadata, spec }: Cluster): string | undefined {
  const reference = spec?.infrastructureRef;
  return reference?.kind === MetalCluster.kind ? `${metadata.namespace}/${reference.name}` : undefined;
}

/** Of a Cluster only its spec matters, that it is paused and where its API server is. */
function matters({ type, object, old }: Change<Cluster>): boolean {
  return type !== "update" || old?.metadata.generation !== object.metadata.generation;
}
