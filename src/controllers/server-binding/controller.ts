/** ServerBinding: `status.ready` says whether the Server it holds exists; one that nobody holds any more is told of. */
import { decideServerBinding, type ObservedBinding, type OrphanEffect } from "#decide/server-binding.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change, Index } from "#kube/cache.ts";
import { type Acting, type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { apiVersionOf } from "#schema/meta.ts";

/** Whether a Cluster is paused (`main/clusters.ts`); its kind need not be there. */
export interface PausedClusters {
  isPaused(namespace: string, name: string): boolean | undefined;
}

/** A binding has the name of its Server. Of a Server only coming and going matter. */
function bindingOf(change: Change<Server>): string[] {
  return change.type === "update" ? [] : [change.key];
}

function holderOf({ spec }: ServerBinding): string {
  const { namespace = "", name = "" } = spec?.metalMachineRef ?? {};
  return `${namespace}/${name}`;
}

/** One per runtime: it follows the caches of that runtime. */
export function createServerBindingController(
  clusters?: PausedClusters,
): Controller<ServerBinding, ObservedBinding, OrphanEffect> {
  let byHolder: Index<ServerBinding> | undefined;
  const heldBy = (key: string, reader: Reader): string[] => {
    byHolder ??= reader.of(ServerBinding).index((binding) => [holderOf(binding)]);
    return byHolder.get(key).map(({ metadata }) => metadata.name ?? "");
  };
  return controller<ServerBinding, ObservedBinding, OrphanEffect>({
    name: "server-binding",
    kind: ServerBinding,
    reads: [on(Server, bindingOf), on(MetalMachine, ({ type, key }, reader) => (type === "update" ? [] : heldBy(key, reader)))],
    writes: [writing(ServerBinding, "status.ready")],
    observe: (reader, _name, binding) => binding && observe(reader, binding, clusters),
    decide: decideServerBinding,
    act,
  });
}

function observe(reader: Reader, binding: ServerBinding, clusters: PausedClusters | undefined): ObservedBinding {
  const { name = "", uid = "", labels = {}, deletionTimestamp } = binding.metadata;
  const holder = holderOf(binding);
  const cluster = labels[CLUSTER_NAME];
  const namespace = binding.spec?.metalMachineRef.namespace ?? "";
  const isPaused = cluster === undefined ? false : (clusters?.isPaused(namespace, cluster) ?? true);
  return {
    name,
    uid,
    hasServer: reader.of(Server).get(name) !== undefined,
    holder,
    hasHolder: isPaused || deletionTimestamp !== undefined ? undefined : reader.of(MetalMachine).get(holder) !== undefined,
  };
}

async function act({ name, uid, message }: OrphanEffect, { events }: Acting): Promise<void> {
  const { group, version, kind } = ServerBinding;
  const about = { apiVersion: apiVersionOf(group, version), kind, metadata: { name, uid } };
  events.record(about, { type: "Warning", reason: "Orphaned", message });
}
