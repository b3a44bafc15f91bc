import type { MetalMachineEffect } from "#decide/metal-machine/effect.ts";
import { exclusionOf, EXCLUSIONS, refusalOf } from "#decide/allocation/exclusion.ts";
import { isOwn, providerIdOf } from "#decide/metal-machine/binding.ts";
import { PICKED_ANNOTATION } from "#decide/metal-machine/picked.ts";
import { CLUSTER_NAME, DELETE_FOR_MOVE, PAUSED } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client, ResourceClient } from "#kube/client.ts";
import type { Acting } from "#kube/controller.ts";
import { ifThere, isAlreadyExists } from "#kube/status.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import type { Workloads } from "#kube/workload.ts";
import { apiVersionOf, type KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";

type Effect<D extends MetalMachineEffect["do"]> = Extract<MetalMachineEffect, { do: D }>;

/** One effect; each is harmless when it has already happened. */
export async function act(effect: MetalMachineEffect, acting: Acting, workloads: Workloads | undefined): Promise<void> {
  switch (effect.do) {
    case "pick":
      return await writeSpec(effect, effect.server, effect.server, acting);
    case "unpick":
      return await writeSpec(effect, null, null, acting);
    case "record":
      return await writeSpec(effect, effect.server, undefined, acting);
    case "bind":
      return await bind(effect, acting);
    case "amend":
      return await amend(effect, acting);
    case "introduce": {
      const { server, resourceVersion, bmc } = effect;
      const patch = { metadata: { resourceVersion }, spec: { bmc: { ...bmc.reveal() } } };
      await acting.client.for(Server).patch(server, patch, { signal: acting.signal });
      return;
    }
    case "release":
      return await release(effect, acting);
    case "set-provider": {
      const { cluster, node, providerID } = effect;
      const client = await workloads?.client(cluster);
      await client?.for(WorkloadNodes).patch(node, { spec: { providerID } }, { signal: acting.signal });
    }
  }
}

/** null takes away, undefined leaves as it is. */
async function writeSpec(
  { machine: { namespace, name }, resourceVersion }: Effect<"pick" | "unpick" | "record">,
  server: string | null,
  picked: string | null | undefined,
  { client, signal }: Acting,
): Promise<void> {
  const annotations = picked === undefined ? {} : { annotations: { [PICKED_ANNOTATION]: picked } };
  const spec =
    server === null
      ? { serverRef: null, providerID: null }
      : { serverRef: { kind: Server.kind, name: server }, providerID: providerIdOf(server) };
  const patch = { metadata: { resourceVersion, ...annotations }, spec };
  await client.for(MetalMachine).in(namespace).patch(name, patch, { signal });
}

async function bind({ machine, server, serverClass, labels, how }: Effect<"bind">, acting: Acting): Promise<void> {
  const { client, events, signal } = acting;
  if (how !== "recovered") await mustBeFree(server, how, acting);
  const reference = { ...typeOf(MetalMachine), ...machine };
  try {
    await client.for(ServerBinding).create(
      {
        metadata: { name: server, labels: { ...labels } },
        spec: { ...(serverClass && { serverClassRef: serverClass }), metalMachineRef: reference },
      },
      { signal },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { spec } = await client.for(ServerBinding).get(server, { signal });
    if (spec?.metalMachineRef.uid === machine.uid) return;
    throw taken(server, "another MetalMachine was first", error);
  }
  const about: KubeObject = { ...typeOf(MetalMachine), metadata: { ...machine } };
  const words = { picked: "allocated from its class", given: "assigned as asked for", recovered: "taken up again" }[how];
  const reason = how === "picked" ? "Server Allocation" : "Server Assignment";
  events.record(about, { type: "Normal", reason, message: `Server ${server} ${words}.` });
}

/** What is true at this moment, whatever caches say: a Server that was somebody else's meanwhile is not clean. */
async function mustBeFree(server: string, how: "picked" | "given", { client, signal }: Acting): Promise<void> {
  const object = await valueOf(client.for(Server), server, signal);
  if (object === undefined) throw taken(server, "it is not there");
  const exclusion = how === "picked" ? exclusionOf(object) : refusalOf(object);
  if (exclusion !== undefined) throw taken(server, `it is ${EXCLUSIONS[exclusion]}`);
}

function taken(server: string, why: string, cause?: unknown): Fault {
  return new Fault("allocation.taken", `Server ${server} cannot be had: ${why}`, { fault: "world", retry: "soon", cause });
}

async function amend({ binding, machine, serverClass, labels }: Effect<"amend">, { client, signal }: Acting): Promise<void> {
  const { name, resourceVersion } = binding;
  const metalMachineRef = { ...typeOf(MetalMachine), ...machine };
  const spec = { metalMachineRef, ...(serverClass && { serverClassRef: serverClass }) };
  await client.for(ServerBinding).patch(name, { metadata: { resourceVersion, labels: { ...labels } }, spec }, { signal });
}

/** Wiping begins with this: whether it may be is asked of the API itself. */
async function release({ machine: target, server }: Effect<"release">, { client, signal }: Acting): Promise<void> {
  const { namespace, name, uid } = target;
  const binding = await valueOf(client.for(ServerBinding), server, signal);
  if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return;
  const machine = await valueOf(client.for(MetalMachine).in(namespace), name, signal);
  if (machine?.metadata.uid !== uid || machine.metadata.deletionTimestamp === undefined)
    throw paused(server, `MetalMachine ${namespace}/${name} is not being deleted any more`);
  if (!isOwn(machine, binding)) return;
  const why = await pauseNow(machine, client, signal);
  if (why !== undefined) throw paused(server, why);
  const { uid: bindingUid = "", resourceVersion = "" } = binding.metadata;
  await client.for(ServerBinding).delete(server, { preconditions: { uid: bindingUid, resourceVersion }, signal });
}

async function pauseNow({ metadata }: MetalMachine, client: Client, signal: AbortSignal): Promise<string | undefined> {
  const { annotations = {}, labels = {}, namespace = "" } = metadata;
  for (const key of [PAUSED, DELETE_FOR_MOVE]) if (annotations[key] !== undefined) return `it has the annotation ${key}`;
  const name = labels[CLUSTER_NAME];
  const cluster = name === undefined ? undefined : await valueOf(client.for(Cluster).in(namespace), name, signal);
  return cluster?.spec?.paused === true ? `Cluster ${namespace}/${name} is paused` : undefined;
}

function paused(server: string, why: string): Fault {
  return new Fault("allocation.paused", `Server ${server} is not released: ${why}`, { fault: "world", retry: "soon" });
}

async function valueOf<T extends KubeObject>(
  resource: ResourceClient<T>,
  name: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  return ifThere(resource.get(name, { signal }));
}

function typeOf({ group, version, kind }: typeof MetalMachine): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: apiVersionOf(group, version), kind };
}
