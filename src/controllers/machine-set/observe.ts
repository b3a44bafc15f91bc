import { missing } from "#decide/machine-set/decide.ts";
import type { ObservedMachineSet, ObservedTemplate } from "#decide/machine-set/observed.ts";
import type { ObservedControlPlane } from "#decide/machine-set/preflight.ts";
import { machinesToRemediate } from "#decide/machine-set/remediation.ts";
import { isTemplate } from "#decide/clone.ts";
import { pauseOf } from "#decide/machines/pause.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { ContractKinds } from "#kube/contract.ts";
import type { Reader } from "#kube/controller.ts";
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import { clusterKeyOf, controllerOf, type Members } from "./members.ts";

/** The set, its machines and owners; of the API itself its templates, and the control plane when machines are to be made. */
export async function observeMachineSet(
  reader: Reader,
  set: MachineSet | undefined,
  members: Members,
  kinds: ContractKinds,
): Promise<ObservedMachineSet | undefined> {
  if (set?.spec === undefined) return undefined;
  const cluster = reader.of(Cluster).get(clusterKeyOf(set));
  const owner = controllerOf(set);
  const deployment =
    owner?.kind === "MachineDeployment" ? reader.of(MachineDeployment).get(`${set.metadata.namespace}/${owner.name}`) : undefined;
  const machines = members.machinesOf(set, reader);
  const plain = { set, cluster, paused: pauseOf(cluster, set), deployment, machines, templates: [], controlPlane: undefined };
  if (plain.paused !== undefined || set.metadata.deletionTimestamp !== undefined) return plain;
  const templates = await templatesOf(set, kinds);
  const isGrowing = missing(plain) > 0 || machinesToRemediate(plain).length > 0;
  return { ...plain, templates, controlPlane: isGrowing ? await controlPlaneOf(cluster, kinds) : undefined };
}

async function templatesOf({ metadata, spec }: MachineSet, kinds: ContractKinds): Promise<ObservedTemplate[]> {
  const { bootstrap, infrastructureRef } = spec!.template.spec;
  const references = [infrastructureRef, ...(bootstrap.configRef === undefined ? [] : [bootstrap.configRef])].filter(isTemplate);
  return Promise.all(
    references.map(async (reference) => {
      const template = await found(() => kinds.get(reference, metadata.namespace ?? ""));
      return { reference, owners: template && (template.metadata.ownerReferences ?? []) };
    }),
  );
}

/** Only one that tells versions can be in the middle of an upgrade. */
async function controlPlaneOf(cluster: Cluster | undefined, kinds: ContractKinds): Promise<ObservedControlPlane | undefined> {
  const reference = cluster?.spec?.controlPlaneRef;
  if (reference === undefined) return undefined;
  const object = await found(() => kinds.get(reference, cluster?.metadata.namespace ?? ""));
  const { kind, name } = reference;
  const [spec, status] = [object?.["spec"], object?.["status"]];
  const version = isObject(spec) ? spec["version"] : undefined;
  if (typeof version !== "string" || version === "") return undefined;
  return { kind, name, version, running: isObject(status) ? runningVersions(status["versions"], status["version"]) : [] };
}

function runningVersions(versions: unknown, lowest: unknown): string[] {
  const listed = (Array.isArray(versions) ? versions : []).flatMap((each: unknown) => (isObject(each) ? [each["version"]] : []));
  const all: unknown[] = listed.length > 0 ? listed : [lowest];
  return all.filter((version): version is string => typeof version === "string" && version !== "");
}

/** A kind that is not there yet has no objects. */
async function found<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (Fault.is(error, "contract.unknown-kind")) return undefined;
    throw error;
  }
}
