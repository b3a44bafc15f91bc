/** MetalCluster: ready once somebody has said where the API server will be; it tells Cluster API which failure domains there are. */
import { exclusionOf } from "#decide/allocation/exclusion.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { decideMetalCluster, FINALIZER, type ObservedMetalCluster } from "#decide/metal-cluster.ts";
import { pauseOf } from "#decide/pause.ts";
import { MANAGED_BY } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { equal } from "#std/json.ts";
import { Domains } from "./domains.ts";
import { metalClusterOf, ownerOf } from "./owner.ts";
import { placesOf } from "./placement.ts";

/** Milliseconds in which the changes of many Servers become one look at all of them. Placing a machine well can wait for that. */
const SETTLE = 500;

/**
 * One per runtime: it follows the caches of that runtime. `hasPlanes`: the kind TalosControlPlane is there to be read, and with it which Servers control
 * planes are made of.
 */
export function createMetalClusterController(hasPlanes = false): Controller<MetalCluster, ObservedMetalCluster, never> {
  const domains = new Domains();
  const all = (reader: Reader): string[] => [...reader.of(MetalCluster).values()].map(keyOf);
  const within = (reader: Reader, { metadata }: KubeObject): string[] =>
    all(reader).filter((key) => key.startsWith(`${metadata.namespace}/`));
  /** Nothing of this matters where no Server says where it stands. */
  const placed = (keys: string[]): string[] => (domains.names.length === 0 ? [] : keys);
  const planes = [
    on(TalosControlPlane, ({ object }, reader) => placed(within(reader, object))),
    on(MetalMachineTemplate, ({ object }, reader) => placed(within(reader, object))),
    on(ServerClass, (_change, reader) => placed(all(reader))),
    on(ServerBinding, ({ type }, reader) => (type === "update" ? [] : placed(all(reader)))),
  ];
  return controller<MetalCluster, ObservedMetalCluster, never>({
    name: "metal-cluster",
    kind: MetalCluster,
    reads: [
      on(MetalCluster),
      on(Cluster, (change) => (matters(change) ? [metalClusterOf(change.object) ?? []].flat() : [])),
      on(Server, (change, reader) => {
        const isNew = domains.changed(change);
        return isNew || (hasPlanes && standsOtherwise(change)) ? all(reader) : [];
      }),
      ...(hasPlanes ? planes : []),
    ],
    settle: () => (domains.names.length === 0 ? 0 : SETTLE),
    writes: [writing(MetalCluster, "status")],
    finalizer: FINALIZER,
    observe: (reader, _key, metalCluster) => observe(reader, metalCluster, domains.names, hasPlanes),
    decide: decideMetalCluster,
    act: async () => {},
  });
}

function observe(
  reader: Reader,
  metalCluster: MetalCluster | undefined,
  domains: readonly string[],
  hasPlanes: boolean,
): ObservedMetalCluster | undefined {
  // Contract: somebody else's to look after, its status included.
  if (metalCluster === undefined || metalCluster.metadata.annotations?.[MANAGED_BY] !== undefined) return undefined;
  const cluster = ownerOf(metalCluster, reader);
  const { host = "", port = 0 } = cluster?.spec?.controlPlaneEndpoint ?? {};
  return {
    metalCluster,
    paused: pauseOf(cluster, metalCluster),
    cluster: cluster && { name: cluster.metadata.name ?? "", hasEndpoint: host !== "" && port > 0 },
    failureDomains: domains,
    places: hasPlanes && cluster !== undefined && domains.length > 0 ? placesOf(cluster, reader) : undefined,
  };
}

/** One that stands somewhere can be had, or not any more. */
function standsOtherwise({ type, object, old }: Change<Server>): boolean {
  const seen = (server: Server): string => `${failureDomainOf(server) ?? ""}/${exclusionOf(server) ?? ""}`;
  if (failureDomainOf(object) === undefined && (old === undefined || failureDomainOf(old) === undefined)) return false;
  return type !== "update" || old === undefined || seen(old) !== seen(object) || !equal(old.spec, object.spec);
}

/** Of a Cluster only its spec matters, that it is paused and where its API server is. */
function matters({ type, object, old }: Change<Cluster>): boolean {
  return type !== "update" || old?.metadata.generation !== object.metadata.generation;
}
