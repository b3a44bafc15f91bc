/** One effect; each is harmless when it has already happened. */
import type { LifecycleEffect } from "#decide/lifecycle/machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Acting } from "#kube/controller.ts";
import { isNotFound } from "#kube/status.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { PAUSED_ANNOTATION } from "#decide/lifecycle/server.ts";
import type { Agents, Clusters, Power } from "./ports.ts";

export interface ServerEffect {
  readonly machine: string;
  readonly uid: string;
  readonly effect: LifecycleEffect;
}

export interface ActPorts {
  readonly power: Power;
  readonly agents: Agents;
  readonly clusters?: Clusters;
}

export async function act(
  { machine, uid, effect }: ServerEffect,
  { power, agents, clusters }: ActPorts,
  acting: Acting,
): Promise<void> {
  const { client, events, signal } = acting;
  const servers = client.for(Server);
  switch (effect.do) {
    case "confirm-free":
      return await confirmFree(machine, uid, effect.cluster, clusters, acting);
    case "operate":
      power.begin(machine, effect.operation);
      return;
    case "withdraw":
      power.withdraw?.(machine, effect.id);
      return;
    case "order":
      agents.send(machine, effect.kind, effect.id);
      return;
    case "wake":
      power.wake(await servers.get(machine, { signal }));
      return;
    case "disown":
      await servers.patch(machine, { metadata: { uid, ownerReferences: null } }, { signal });
      return;
    case "tell": {
      const { type, reason, message } = effect;
      const about = {
        apiVersion: apiVersionOf(Server.group, Server.version),
        kind: Server.kind,
        metadata: { name: machine, uid },
      };
      events.record(about, { type, reason, message });
    }
  }
}

/** What is true at this moment, whatever caches say. */
async function confirmFree(
  machine: string,
  uid: string,
  cluster: Extract<LifecycleEffect, { do: "confirm-free" }>["cluster"],
  clusters: Clusters | undefined,
  { client, signal }: Acting,
): Promise<void> {
  const server = await client.for(Server).get(machine, { signal });
  const { metadata, spec } = server;
  if (metadata.uid !== uid) throw notFree(machine, "it is another Server of the same name");
  if (spec?.accepted !== true) throw notFree(machine, "it is not accepted");
  if (spec.adopt === true) throw notFree(machine, "it is adopted");
  if (metadata.deletionTimestamp !== undefined) throw notFree(machine, "it is being deleted");
  if (metadata.annotations?.[PAUSED_ANNOTATION] !== undefined) throw notFree(machine, "it is paused");
  if (cluster !== undefined && (await clusters?.isPausedNow(cluster.namespace, cluster.name)) === true) {
    throw notFree(machine, `its Cluster ${cluster.namespace}/${cluster.name} is paused`);
  }
  try {
    await client.for(ServerBinding).get(machine, { signal });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  throw notFree(machine, "it has a ServerBinding");
}

function notFree(machine: string, why: string): Fault {
  return new Fault("lifecycle.not-free", `${machine} is not to be wiped: ${why}`, { fault: "world", retry: "soon" });
}
