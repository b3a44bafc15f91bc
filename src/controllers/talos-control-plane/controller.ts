/**
 * TalosControlPlane: the machines of a cluster that run etcd and the Kubernetes API. What is to be done is decided in `decide/talos-control-plane`; what the
 * machines say is read by a prober, so that no decision waits for one.
 */
import type { ControlPlaneDecision } from "#decide/talos-control-plane/control-plane.ts";
import { decideControlPlane } from "#decide/talos-control-plane/control-plane.ts";
import { failedConditions } from "#decide/talos-control-plane/conditions.ts";
import type { ObservedControlPlane } from "#decide/talos-control-plane/machine.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Pki } from "#io/pki.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { Change } from "#kube/cache.ts";
import type { ContractKinds } from "#kube/contract.ts";
import type { Controller, Reader } from "#kube/controller.ts";
import { controller, on, REFERENCED, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { Secret } from "#kube/secret.ts";
import type { Workloads } from "#kube/workload.ts";
import { equal } from "#std/json.ts";
import type { TalosDial } from "#talos/api.ts";
import { act } from "./act.ts";
import type { PlaneEffect } from "./act.ts";
import { Members } from "./members.ts";
import { isConfigured, observeControlPlane } from "./observe.ts";
import { Prober } from "./prober.ts";

export interface TalosControlPlanePorts {
  readonly dial: TalosDial;
  readonly workloads: Workloads;
  readonly kinds: ContractKinds;
  readonly pki: Pki;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Upstream's, so that control planes move over as they are. */
export const FINALIZER = "talos.controlplane.cluster.x-k8s.io";
const SUFFIXES = ["-ca", "-talosconfig", "-kubeconfig"];

/** One per runtime: it follows the caches of that runtime, and asks the machines while it runs. */
export function createTalosControlPlaneController(
  ports: TalosControlPlanePorts,
): Controller<TalosControlPlane, ObservedControlPlane, PlaneEffect> {
  const members = new Members();
  const talos = new Prober(ports);
  return controller<TalosControlPlane, ObservedControlPlane, PlaneEffect>({
    name: "talos-control-plane",
    kind: TalosControlPlane,
    reads: [
      on(TalosControlPlane, ({ type, key }) => {
        if (type === "delete") talos.follow(key, [], undefined);
        return [key];
      }),
      on(Cluster, (change, reader) => (matters(change) ? members.planesOf(change.key, reader) : [])),
      on(Machine, ({ object }, reader) => members.planesOfLabelled(object, reader)),
      on(MetalMachine, (change, reader) =>
        isSettled(change) ? ofMetadata(members)(change, reader) : members.planesOfLabelled(change.object, reader),
      ),
      on(TalosConfig, ofMetadata(members)),
      on(MetalMachineTemplate, ({ object, type }, reader) =>
        type === "update" ? [] : planesIn(object.metadata.namespace ?? "", reader),
      ),
      on(Secret, ({ key }, reader) => {
        const suffix = SUFFIXES.find((each) => key.endsWith(each));
        return suffix === undefined ? [] : members.planesOf(key.slice(0, -suffix.length), reader);
      }),
    ],
    writes: [
      writing(TalosControlPlane, "metadata.annotations[etcd]", "status"),
      writing(Machine, "those of control planes"),
      writing(TalosConfig, "those of control planes"),
      writing(Secret, "<cluster>-kubeconfig"),
      writing(REFERENCED, "those of control planes"),
    ],
    finalizer: FINALIZER,
    listen(wake, reader) {
      const ends = [
        talos.listen(wake),
        ports.workloads.onChange(({ namespace, name }) => members.planesOf(`${namespace}/${name}`, reader).forEach(wake)),
      ];
      return () => ends.forEach((end) => end());
    },
    observe: (reader, _key, plane) => observeControlPlane(reader, plane, members, { ...ports, talos }),
    decide(observed, now) {
      const { effects, ...decision }: ControlPlaneDecision = decideControlPlane(observed, now);
      const { namespace, name, uid, cluster } = observed;
      const plane = { namespace, name, uid, cluster: cluster?.name ?? "" };
      return { ...decision, effects: effects.map((effect) => ({ plane, effect })) };
    },
    act: (effect, acting) => act(effect, { ...ports, talos }, acting),
    failed(observed, { facts, message }, now) {
      const reason = facts["step"];
      return typeof reason === "string" ? { conditions: failedConditions(observed, reason, message, now) } : {};
    },
  });
}

/** Of a Cluster, whose status changes with every machine, only this matters. */
function matters({ type, object, old }: Change<Cluster>): boolean {
  if (type !== "update" || old === undefined) return true;
  const seen = ({ metadata, spec, status }: Cluster): unknown => [
    metadata.deletionTimestamp ?? "",
    spec?.paused === true,
    spec?.controlPlaneEndpoint ?? {},
    status?.initialization?.infrastructureProvisioned === true,
    status?.failureDomains ?? [],
  ];
  return !equal(seen(old), seen(object));
}

/** Of a Machine's parts only what they are labelled with matters, and their specs, which never change. */
function ofMetadata(members: Members): (change: Change<MetalMachine | TalosConfig>, reader: Reader) => string[] {
  return ({ type, object, old }, reader) => {
    const seen = ({ metadata: { labels = {}, annotations = {} } }: MetalMachine | TalosConfig): unknown => [labels, annotations];
    return type === "update" && old !== undefined && equal(seen(old), seen(object))
      ? []
      : members.planesOfLabelled(object, reader);
  };
}

/** Whether its machine may come up is as it was. */
function isSettled({ object, old }: Change<MetalMachine>): boolean {
  return old !== undefined && isConfigured(old) === isConfigured(object);
}

function planesIn(namespace: string, reader: Reader): string[] {
  return [...reader.of(TalosControlPlane).values()].filter(({ metadata }) => metadata.namespace === namespace).map(keyOf);
}
