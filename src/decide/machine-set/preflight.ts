/** What must hold before a set makes machines, so that they do not come up in the middle of an upgrade of the control plane (§2.5). */
import { SKIP_PREFLIGHT_CHECKS } from "#kinds/cluster/keys.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { compareReleases, releaseOf } from "../machines/summary.ts";

/** The cluster's control plane, where its object tells versions. */
export interface ObservedControlPlane {
  readonly kind: string;
  readonly name: string;
  /** `spec.version`. */
  readonly version: string;
  /** Of its machines; empty while none is there. */
  readonly running: readonly string[];
}

/** Minor versions that a kubelet may be behind its API server. */
const SKEW = 3;

/** Why no machines are made now; empty when nothing stands against it. `topologyVersion`: of a Cluster made from a class. */
export function preflightProblems(
  set: MachineSet,
  controlPlane: ObservedControlPlane | undefined,
  topologyVersion: string | undefined,
): string[] {
  if (controlPlane === undefined) return [];
  const skipped = (set.metadata.annotations?.[SKIP_PREFLIGHT_CHECKS] ?? "").split(",").map((name) => name.trim());
  if (skipped.includes("All")) return [];
  const version = set.spec?.template.spec.version;
  const checks: readonly (readonly [name: string, problem: string | undefined])[] = [
    ["ControlPlaneIsStable", unstable(controlPlane, topologyVersion)],
    ["KubernetesVersionSkew", version === undefined ? undefined : skewed(version, controlPlane)],
    ["ControlPlaneVersionSkew", topologyVersion === undefined ? undefined : differing(version, controlPlane)],
  ];
  return checks.flatMap(([name, problem]) =>
    problem === undefined || skipped.includes(name) ? [] : [`${problem} ("${name}" preflight check failed)`],
  );
}

function unstable(
  { kind, name, version, running }: ObservedControlPlane,
  topologyVersion: string | undefined,
): string | undefined {
  const who = `${kind} ${name}`;
  if (running.length === 0) return `${who} is provisioning`;
  if (running.some((each) => compareReleases(each, version) < 0)) return `${who} is upgrading to ${version}`;
  if (topologyVersion !== undefined && compareReleases(topologyVersion, version) !== 0)
    return `${who} has a pending version upgrade to ${topologyVersion}`;
  return undefined;
}

function skewed(version: string, controlPlane: ObservedControlPlane): string | undefined {
  const [[major, minor], [ours, most]] = [releaseOf(version), releaseOf(controlPlane.version)];
  const told = `MachineSet version (${version}) and ControlPlane version (${controlPlane.version})`;
  if (major !== ours || minor > most)
    return `${told} do not conform to the Kubernetes version skew policy: the machines are newer`;
  if (minor < most - SKEW)
    return `${told} do not conform to the Kubernetes version skew policy: more than ${SKEW} minor versions apart`;
  return undefined;
}

function differing(version: string | undefined, { version: wanted }: ObservedControlPlane): string | undefined {
  if (version === undefined || compareReleases(version, wanted) === 0) return undefined;
  return `MachineSet version (${version}) is not yet the same as the ControlPlane version (${wanted}), waiting for version to be propagated to the MachineSet`;
}
