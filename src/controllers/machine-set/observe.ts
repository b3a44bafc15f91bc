import { missing } from "#decide/machine-set/decide.ts";
import type { ObservedMachineSet, ObservedTemplate } from "#decide/machine-set/observed.ts";
import type { ObservedControlPlane } from "#decide/machine-set/preflight.ts";
import { machinesToRemediate } from "#decide/machine-set/remediation.ts";
import { isTemplate } from "#decide/clone.ts";
import { pauseOf } from "#decide/machines/pause.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";
import type { Reader } from "#kube/controller.ts";
import type { Externals } from "#kube/externals.ts";
import { isObject } from "#std/json.ts";
import { clusterKeyOf, controllerOf, type Members } from "./members.ts";

/** The set, its machines and owners, its templates, and the control plane when machines are to be made. Undefined while one of these is not known. */
export function observeMachineSet(
  reader: Reader,
  set: MachineSet | undefined,
  members: Members,
  externals: Externals,
): ObservedMachineSet | undefined {
  if (set?.spec === undefined) return undefined;
  const cluster = reader.of(Cluster).get(clusterKeyOf(set));
  const owner = controllerOf(set);
  const deployment =
    owner?.kind === "MachineDeployment" ? reader.of(MachineDeployment).get(`${set.metadata.namespace}/${owner.name}`) : undefined;
  const machines = members.machinesOf(set, reader);
  const plain = { set, cluster, paused: pauseOf(cluster, set), deployment, machines, templates: [], controlPlane: undefined };
  if (plain.paused !== undefined || set.metadata.deletionTimestamp !== undefined) return plain;
  const templates = templateReferences(set).map((reference) => templateOf(reference, set, externals));
  if (templates.includes(undefined)) return undefined;
  const known = templates.filter((template) => template !== undefined);
  if (missing(plain) <= 0 && machinesToRemediate(plain).length === 0) return { ...plain, templates: known };
  const controlPlane = controlPlaneOf(cluster, externals);
  return controlPlane === "unknown" ? undefined : { ...plain, templates: known, controlPlane };
}

export function templateReferences({ spec }: MachineSet): ContractVersionedObjectReference[] {
  const { bootstrap, infrastructureRef } = spec!.template.spec;
  return [infrastructureRef, ...(bootstrap.configRef === undefined ? [] : [bootstrap.configRef])].filter(isTemplate);
}

function templateOf(
  reference: ContractVersionedObjectReference,
  { metadata }: MachineSet,
  externals: Externals,
): ObservedTemplate | undefined {
  const look = externals.look(reference, metadata.namespace ?? "");
  switch (look.is) {
    case "unknown":
      return undefined;
    case "refused":
      return { reference, owners: undefined, problem: look.problem };
    case "missing":
      return { reference, owners: undefined };
    case "there":
      return { reference, owners: look.object.metadata.ownerReferences ?? [] };
  }
}

/** Only one that tells versions can be in the middle of an upgrade. */
function controlPlaneOf(cluster: Cluster | undefined, externals: Externals): ObservedControlPlane | "unknown" | undefined {
  const reference = cluster?.spec?.controlPlaneRef;
  if (reference === undefined) return undefined;
  const look = externals.look(reference, cluster?.metadata.namespace ?? "");
  if (look.is === "unknown") return "unknown";
  if (look.is !== "there") return undefined;
  const { kind, name } = reference;
  const [spec, status] = [look.object["spec"], look.object["status"]];
  const version = isObject(spec) ? spec["version"] : undefined;
  if (typeof version !== "string" || version === "") return undefined;
  return { kind, name, version, running: isObject(status) ? runningVersions(status["versions"], status["version"]) : [] };
}

function runningVersions(versions: unknown, lowest: unknown): string[] {
  const listed = (Array.isArray(versions) ? versions : []).flatMap((each: unknown) => (isObject(each) ? [each["version"]] : []));
  const all: unknown[] = listed.length > 0 ? listed : [lowest];
  return all.filter((version): version is string => typeof version === "string" && version !== "");
}
