/** One effect; each is harmless when it has already happened. What is done to machines is in `etcd.ts` and `upgrade.ts`. */
import type { ControlPlaneEffect, Part } from "#decide/talos-control-plane/machine.ts";
import { BOOTSTRAP_MARK, LEAVE_HOOK } from "#decide/talos-control-plane/machine.ts";
import { toldOf } from "#decide/talos-control-plane/story.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { pluralOf } from "#kube/contract.ts";
import type { ContractKinds } from "#kube/contract.ts";
import type { Acting } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import type { Workloads } from "#kube/workload.ts";
import { ifThere } from "#kube/status.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { OwnerReference } from "#schema/meta.ts";
import type { JsonObject } from "#std/json.ts";
import { create } from "./create.ts";
import { bootstrap, confirm, confirmAlone, confirmSpare, leave, remove } from "./etcd.ts";
import type { MintingPorts } from "./kubeconfig.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Plane } from "./plane.ts";
import { ownerOf } from "./plane.ts";
import type { Talos } from "./ports.ts";
import { confirmComponents, upgradeKubernetes, upgradeTalos } from "./upgrade.ts";

export interface PlaneEffect {
  readonly plane: Plane;
  readonly effect: ControlPlaneEffect;
}

export interface ActPorts extends MintingPorts {
  readonly talos: Talos;
  readonly kinds: ContractKinds;
  readonly workloads: Workloads;
}

export async function act(what: PlaneEffect, ports: ActPorts, acting: Acting): Promise<void> {
  await perform(what, ports, acting);
  const { plane, effect } = what;
  const told = toldOf(effect);
  if (told === undefined) return;
  const { namespace, name, uid } = plane;
  const apiVersion = apiVersionOf(TalosControlPlane.group, TalosControlPlane.version);
  acting.events.record(
    { apiVersion, kind: TalosControlPlane.kind, metadata: { name, namespace, uid } },
    { type: "Normal", ...told },
  );
}

async function perform({ plane, effect }: PlaneEffect, ports: ActPorts, acting: Acting): Promise<void> {
  const { client, signal } = acting;
  const { namespace } = plane;
  const machines = client.for(Machine).in(namespace);
  switch (effect.do) {
    case "own-template": {
      const { template, cluster } = effect;
      const kind = await ports.kinds.of({ apiGroup: template.group, kind: template.kind }, { signal });
      const templates = client.for(kind).in(namespace);
      const { metadata } = await templates.get(template.name, { signal });
      const owner: OwnerReference = { apiVersion: apiVersionOf(Cluster.group, Cluster.version), kind: Cluster.kind, ...cluster };
      const others = (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== cluster.uid);
      const { resourceVersion = "" } = metadata;
      const ownerReferences = [...others, owner].map((reference) => ({ ...reference }));
      await templates.patch(template.name, { metadata: { resourceVersion, ownerReferences } }, { signal });
      return;
    }
    case "adopt": {
      const { ownerReferences = [] } = (await machines.get(effect.machine, { signal })).metadata;
      const { resourceVersion } = effect;
      const metadata = { resourceVersion, ownerReferences: controlledBy(plane, ownerReferences) };
      await machines.patch(effect.machine, { metadata }, { signal });
      return;
    }
    case "adopt-kubeconfig": {
      const secrets = client.for(Secret).in(namespace);
      const {
        name = "",
        resourceVersion = "",
        ownerReferences = [],
      } = (await secrets.get(`${plane.cluster}-kubeconfig`, { signal })).metadata;
      await secrets.patch(
        name,
        { metadata: { resourceVersion, ownerReferences: controlledBy(plane, ownerReferences) } },
        { signal },
      );
      return;
    }
    case "create":
      return await create(plane, effect.machine, ports.kinds, acting);
    case "patch":
      return await patch(plane, effect.machine, effect.uid, effect.part, effect.patch, acting);
    case "conditions": {
      const { machine, resourceVersion, conditions } = effect;
      const change = { metadata: { resourceVersion }, status: { conditions: conditions.map((each) => ({ ...each })) } };
      await machines.patch(machine, change, { subresource: "status", signal });
      return;
    }
    case "delete": {
      const { machine, uid, guard } = effect;
      if (guard !== undefined) await confirmAlone(machine, plane, acting);
      if (guard?.leaves !== undefined) await confirmSpare(guard.leaves, guard.seats, plane, ports.talos, acting);
      await ifThere(machines.delete(machine, { preconditions: { uid }, signal }));
      return;
    }
    case "release": {
      const { machine, uid, proof } = effect;
      await confirm(machine, proof, plane, ports.talos, acting);
      await ifThere(machines.patch(machine, { metadata: { uid, annotations: { [LEAVE_HOOK]: null } } }, { signal }));
      return;
    }
    case "mark": {
      const planes = client.for(TalosControlPlane).in(namespace);
      await planes.patch(
        plane.name,
        { metadata: { uid: plane.uid, annotations: { [BOOTSTRAP_MARK]: effect.value } } },
        { signal },
      );
      return;
    }
    case "bootstrap":
      return await bootstrap(effect.seat, effect.others, plane, ports.talos, acting);
    case "leave":
      return await leave(effect.member, effect.seat, effect.others, plane, ports.talos, acting);
    case "remove-member":
      return await remove(effect.member, effect.gone, effect.others, plane, ports.talos, acting);
    case "kubeconfig":
      return await writeKubeconfig(plane, effect.server, ports, acting);
    case "upgrade-kubernetes":
      return await upgradeKubernetes(effect.seat, effect, plane, ports.talos, acting);
    case "confirm-components":
      return await confirmComponents(effect.node, effect.version, plane, ports.workloads, acting);
    case "upgrade-talos":
      return await upgradeTalos(effect.seat, effect.installer, plane, ports.talos, acting);
  }
}

/** Whoever owns it besides stays; nobody controls it besides. */
function controlledBy(plane: Plane, before: readonly OwnerReference[]) {
  const others = before.filter(({ uid }) => uid !== plane.uid);
  return [...others, { ...ownerOf(plane), controller: true }].map((reference) => ({ ...reference }));
}

async function patch(
  { namespace }: Plane,
  machine: string,
  uid: string,
  part: Part | undefined,
  change: JsonObject,
  { client, signal }: Acting,
): Promise<void> {
  if (part === undefined) {
    const metadata = { ...(change["metadata"] as JsonObject | undefined), uid };
    await ifThere(
      client
        .for(Machine)
        .in(namespace)
        .patch(machine, { ...change, metadata }, { signal }),
    );
    return;
  }
  const [group = "", version = ""] = part.apiVersion.split("/");
  const plural = pluralOf(part.objectKind);
  const kind = { group, version, kind: part.objectKind, plural, scope: "Namespaced" } as const;
  await ifThere(client.for(kind).in(namespace).patch(part.name, change, { signal }));
}
