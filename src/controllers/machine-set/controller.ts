/** MachineSet: keeps machines at a number, made from templates. */
import { decideMachineSet } from "#decide/machine-set/decide.ts";
import type { MachineSetEffect } from "#decide/machine-set/effect.ts";
import type { ObservedMachineSet } from "#decide/machine-set/observed.ts";
import { MACHINE_SET_FINALIZER, REVISION } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Change } from "#kube/cache.ts";
import { type Controller, controller, on, type Reader, REFERENCED, writing } from "#kube/controller.ts";
import { kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import { equal } from "#std/json.ts";
import { act } from "./act.ts";
import { clusterKeyOf, controllerOf, Members } from "./members.ts";
import { observeMachineSet, templateReferences } from "./observe.ts";
import type { MachineSetPorts } from "./ports.ts";

/** Milliseconds in which the changes of many machines become one write. */
const SETTLE = 100;

/** One per runtime: it indexes the caches of that runtime. */
export function createMachineSetController(ports: MachineSetPorts): Controller<MachineSet, ObservedMachineSet, MachineSetEffect> {
  const members = new Members();
  return controller({
    name: "machine-set",
    kind: MachineSet,
    finalizer: MACHINE_SET_FINALIZER,
    settle: () => SETTLE,
    reads: [
      on(MachineSet),
      on(Machine, ({ object, old }, reader) => [
        ...members.keysOf(object, reader),
        ...(old === undefined ? [] : members.keysOf(old, reader)),
      ]),
      on(MachineDeployment, (change, reader) =>
        matters(change, ({ metadata, spec }) => [spec, metadata.annotations?.[REVISION]])
          ? members.setsOf(clusterKeyOf(change.object), reader).filter(ownedBy(change.object)).map(keyOf)
          : [],
      ),
      on(Cluster, (change, reader) =>
        matters(change, ({ spec }) => [spec]) ? members.setsOf(keyOf(change.object), reader).map(keyOf) : [],
      ),
    ],
    writes: [
      writing(MachineSet, "status", "metadata.finalizers", "cluster label and owner"),
      writing(
        Machine,
        "creation and deletion by a MachineSet",
        "fields of its MachineSet's template",
        "UpToDate of a MachineSet's",
      ),
      writing(REFERENCED, "creation by a MachineSet", "template metadata of a MachineSet", "template owners of a MachineSet"),
    ],
    listen: (wake, reader) =>
      ports.externals.onChange((kind, key) => {
        for (const set of reader.of(MachineSet).values()) if (looksAt(set, kind, key, reader)) wake(keyOf(set));
      }),
    observe: (reader, _key, set) => observeMachineSet(reader, set, members, ports.externals),
    decide: decideMachineSet,
    act: (effect, acting) => act(effect, acting, ports),
  });
}

function ownedBy({ metadata }: MachineDeployment): (set: MachineSet) => boolean {
  return (set) => controllerOf(set)?.uid === metadata.uid;
}

/** Whether an object (of `Kind.group`; no key: any of the kind) is one of the set's templates, or its cluster's control plane. */
function looksAt(set: MachineSet, kind: string, key: string | undefined, reader: Reader): boolean {
  const controlPlane = reader.of(Cluster).get(clusterKeyOf(set))?.spec?.controlPlaneRef;
  const references = [
    ...(set.spec === undefined ? [] : templateReferences(set)),
    ...(controlPlane === undefined ? [] : [controlPlane]),
  ];
  const { namespace = "" } = set.metadata;
  return references.some(
    (reference) => kindIdOf(reference) === kind && (key === undefined || key === `${namespace}/${reference.name}`),
  );
}

/** Owners change often, and seldom in what their sets look at. */
function matters<T>({ type, object, old }: Change<T>, seen: (object: T) => unknown): boolean {
  return type !== "update" || old === undefined || !equal(seen(old), seen(object));
}
