/** Who a MetalMachine belongs to: its Machine, and that one's Cluster. */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { Reader } from "#kube/controller.ts";

/** Undefined while none owns it. */
export function ownerOf({ metadata }: MetalMachine, reader: Reader): Machine | undefined {
  const reference = metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => kind === Machine.kind && apiVersion.startsWith(`${Machine.group}/`),
  );
  const machine = reference && reader.of(Machine).get(`${metadata.namespace}/${reference.name}`);
  return machine?.metadata.uid === reference?.uid ? machine : undefined;
}

/** `namespace/name` of the Machine's MetalMachine. */
export function metalMachineOf({ metadata, spec }: Machine): string | undefined {
  const reference = spec?.infrastructureRef;
  return reference?.kind === "MetalMachine" ? `${metadata.namespace}/${reference.name}` : undefined;
}

/** Of a Cluster, whose status changes with every machine, only this matters to machines. */
export function clusterMatters({ type, object, old }: { type: string; object: Cluster; old?: Cluster }): boolean {
  if (type !== "update" || old === undefined) return true;
  const seen = ({ spec, status }: Cluster) =>
    `${spec?.paused === true}/${status?.initialization?.infrastructureProvisioned === true}`;
  return seen(old) !== seen(object);
}
