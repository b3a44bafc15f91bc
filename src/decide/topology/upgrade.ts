/** Which version each part of a topology is to have now: the control plane goes first, then one set of workers after the other (§1.9). */
import { TOPOLOGY_DEFER_UPGRADE, TOPOLOGY_DEPLOYMENT_NAME, TOPOLOGY_HOLD_UPGRADE } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject } from "#std/json.ts";
import { compareReleases } from "../machines/summary.ts";

export interface Versions {
  readonly controlPlane: string;
  /** By the name that the topology has for them. */
  readonly workers: ReadonlyMap<string, string>;
  /** What has not its version yet, and why. */
  readonly pending: readonly string[];
}

export function planVersions(
  cluster: Cluster,
  controlPlane: KubeObject | undefined,
  deployments: readonly MachineDeployment[],
): Versions {
  const { version = "", workers } = cluster.spec?.topology ?? {};
  const topologies = workers?.machineDeployments ?? [];
  const before = versionOf(controlPlane);
  const rolling = deployments.find((deployment) => isRollingOut(deployment));
  const pending: string[] = [];
  // Workers in the middle of an upgrade are not left behind by the next one.
  const waits = before !== undefined && before !== version && rolling !== undefined;
  if (waits) pending.push(`the control plane stays at ${before} while MachineDeployment ${rolling.metadata.name} is rolling out`);
  const plane = waits ? before : version;
  const isSteady = isSteadyAt(controlPlane, plane);
  const result = new Map<string, string>();
  let isFree = isSteady && plane === version && rolling === undefined;
  let isHeld = false;
  for (const { name, metadata } of topologies) {
    const current = deployments.find((deployment) => deployment.metadata.labels?.[TOPOLOGY_DEPLOYMENT_NAME] === name);
    const now = current?.spec?.template.spec.version;
    const annotations = metadata?.annotations ?? {};
    isHeld ||= annotations[TOPOLOGY_HOLD_UPGRADE] !== undefined;
    if (now === undefined || now === version) {
      // New machines join the control plane that there is.
      result.set(name, now ?? (controlPlane === undefined ? version : plane));
    } else if (isFree && !isHeld && annotations[TOPOLOGY_DEFER_UPGRADE] === undefined) {
      result.set(name, version);
      isFree = false;
    } else {
      result.set(name, now);
      const why = isHeld || annotations[TOPOLOGY_DEFER_UPGRADE] !== undefined ? "it is held back" : "others go first";
      pending.push(`MachineDeployment ${current?.metadata.name} stays at ${now}: ${why}`);
    }
  }
  return { controlPlane: plane, workers: result, pending };
}

function versionOf(controlPlane: KubeObject | undefined): string | undefined {
  const spec = controlPlane?.["spec"];
  return isObject(spec) && typeof spec["version"] === "string" ? spec["version"] : undefined;
}

/** All its machines run the version, and none is on its way. */
function isSteadyAt(controlPlane: KubeObject | undefined, version: string): boolean {
  const [spec, status] = [controlPlane?.["spec"], controlPlane?.["status"]];
  if (!isObject(spec) || !isObject(status)) return false;
  const versions = (Array.isArray(status["versions"]) ? status["versions"] : []).flatMap((each) =>
    isObject(each) ? [each["version"]] : [],
  );
  const running = versions.length > 0 ? versions : [status["version"]];
  if (!running.every((each) => typeof each === "string" && compareReleases(each, version) === 0)) return false;
  const upToDate = status["upToDateReplicas"] ?? status["updatedReplicas"];
  return (
    spec["replicas"] === undefined ||
    (status["replicas"] === spec["replicas"] && (upToDate === undefined || upToDate === spec["replicas"]))
  );
}

/** What it has been told is not seen yet, or machines of another version are there. One that merely lacks machines is not in the way. */
function isRollingOut({ metadata, spec, status }: MachineDeployment): boolean {
  if (status?.observedGeneration === undefined) return false;
  if (status.observedGeneration !== metadata.generation) return true;
  return (status.versions ?? []).some(({ version }) => version !== spec?.template.spec.version);
}
