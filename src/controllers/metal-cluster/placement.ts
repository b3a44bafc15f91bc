/**
 * The failure domains in which a control plane machine could be placed now. Control plane providers pin machines to them: one that has no Server to give
 * for that would keep its machine waiting while others have some.
 */
import { exclusionOf } from "#decide/allocation/exclusion.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { membershipOf } from "#decide/server-class.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";

/** Undefined where it cannot be told what its machines are made from: then all will do. */
export function placesOf(cluster: Cluster, reader: Reader): ReadonlySet<string> | undefined {
  const serverClass = classOf(cluster, reader);
  if (serverClass === undefined) return undefined;
  const membership = membershipOf(serverClass.metadata.name ?? "", serverClass.spec);
  const domains = new Set<string>();
  for (const server of reader.of(Server).values()) {
    const domain = failureDomainOf(server);
    // What costs most comes last.
    if (domain === undefined || domains.has(domain) || exclusionOf(server) !== undefined) continue;
    if (reader.of(ServerBinding).get(keyOf(server)) === undefined && membership.isMeant(server)) domains.add(domain);
  }
  return domains;
}

/** Of the machines of its control plane. */
function classOf({ metadata, spec }: Cluster, reader: Reader): ServerClass | undefined {
  const { kind, name } = spec?.controlPlaneRef ?? {};
  if (kind !== TalosControlPlane.kind) return undefined;
  const plane = reader.of(TalosControlPlane).get(`${metadata.namespace}/${name}`);
  const reference = plane?.spec?.infrastructureTemplate;
  if (reference?.kind !== MetalMachineTemplate.kind) return undefined;
  const template = reader.of(MetalMachineTemplate).get(`${metadata.namespace}/${reference.name}`);
  return reader.of(ServerClass).get(template?.spec?.template.spec.serverClassRef?.name ?? "");
}
