/** Labels, annotations and fields of Machines that are kept as the control plane says: changing them replaces nothing (§1.10, §2.5). */
import { equal, isObject } from "#std/json.ts";
import type { JsonObject } from "#std/json.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Part } from "./machine.ts";
import { LEAVE_HOOK } from "./machine.ts";

const CLUSTER_NAME = "cluster.x-k8s.io/cluster-name";
const CONTROL_PLANE = "cluster.x-k8s.io/control-plane";
const CONTROL_PLANE_NAME = "cluster.x-k8s.io/control-plane-name";

export function labelsOf({ name, cluster, spec }: ObservedControlPlane): Record<string, string> {
  return {
    ...spec.machineTemplate?.metadata?.labels,
    [CLUSTER_NAME]: cluster?.name ?? "",
    [CONTROL_PLANE]: "",
    [CONTROL_PLANE_NAME]: name,
  };
}

/** As Machines of contract v1beta2 have them. The fields of contract v1beta1 count where those of v1beta2 say nothing. */
export function inPlaceFields({ machineTemplate }: ObservedControlPlane["spec"]): JsonObject {
  const { readinessGates, taints, deletion } = machineTemplate?.spec ?? {};
  const old = {
    nodeDrainTimeoutSeconds: secondsOf(machineTemplate?.nodeDrainTimeout),
    nodeVolumeDetachTimeoutSeconds: secondsOf(machineTemplate?.nodeVolumeDetachTimeout),
    nodeDeletionTimeoutSeconds: secondsOf(machineTemplate?.nodeDeletionTimeout),
  };
  const timeouts = Object.entries({ ...old, ...deletion }).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return JSON.parse(
    JSON.stringify({
      ...filled({ readinessGates, taints }),
      deletion: timeouts.length === 0 ? undefined : Object.fromEntries(timeouts),
    }),
  ) as JsonObject;
}

/** An empty list says nothing, and a Machine may not have one. */
function filled(lists: Readonly<Record<string, readonly unknown[] | undefined>>): object {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined && list.length > 0));
}

/** Go's durations of hours, minutes and seconds. */
function secondsOf(duration: string | undefined): number | undefined {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?$/.exec(duration ?? "");
  if (match === null || match[0] === "") return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((digits) => Number(digits ?? 0));
  return hours! * 3600 + minutes! * 60 + seconds!;
}

/** What has to be written for the Machines to be as they are to be kept. Those that are being deleted are left alone. */
export function keepingOf(observed: ObservedControlPlane): ControlPlaneEffect[] {
  return observed.machines.filter(({ isDeleting }) => !isDeleting).flatMap((machine) => keep(observed, machine));
}

function keep(observed: ObservedControlPlane, machine: ControlPlaneMachine): ControlPlaneEffect[] {
  const labels = labelsOf(observed);
  const annotations = observed.spec.machineTemplate?.metadata?.annotations ?? {};
  const { name, uid } = machine;
  const effects: ControlPlaneEffect[] = [];
  const patch: JsonObject = {
    ...metadataPatch(machine, labels, { ...annotations, [LEAVE_HOOK]: "" }),
    ...specPatch(machine.spec, inPlaceFields(observed.spec)),
  };
  if (Object.keys(patch).length > 0) effects.push({ do: "patch", machine: name, uid, part: undefined, patch });
  for (const part of machine.parts) {
    const change = metadataPatch(part, labels, annotations);
    if (Object.keys(change).length > 0) effects.push({ do: "patch", machine: name, uid, part, patch: change });
  }
  return effects;
}

/** Adds and changes; what others have put there stays. */
function metadataPatch(
  present: Pick<Part, "labels" | "annotations">,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): JsonObject {
  const missing = (wanted: Readonly<Record<string, string>>, have: Readonly<Record<string, string>>): JsonObject =>
    Object.fromEntries(Object.entries(wanted).filter(([key, value]) => have[key] !== value));
  const [labelled, annotated] = [missing(labels, present.labels), missing(annotations, present.annotations)];
  const metadata: JsonObject = {
    ...(Object.keys(labelled).length > 0 && { labels: labelled }),
    ...(Object.keys(annotated).length > 0 && { annotations: annotated }),
  };
  return Object.keys(metadata).length === 0 ? {} : { metadata };
}

/** Fields that the control plane names; what it says nothing of is not its to change. */
function specPatch(present: JsonObject, wanted: JsonObject): JsonObject {
  const changed = Object.entries(wanted).filter(([key, value]) => {
    const have = present[key];
    // A server may have added defaults beside what was asked for.
    if (isObject(value) && isObject(have)) return Object.entries(value).some(([field, part]) => !equal(have[field], part));
    return !equal(have, value);
  });
  return changed.length === 0 ? {} : { spec: Object.fromEntries(changed) };
}
