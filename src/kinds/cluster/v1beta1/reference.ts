/** From references with a version to those without, and back. */
import { present } from "#schema/conversion.ts";
import { parseApiVersion } from "#schema/meta.ts";
import type { ObjectReference } from "../../reference.ts";
import type { ContractVersionedObjectReference } from "../v1beta2/reference.ts";

/** Versions that keep contract v1beta1, of kinds we know; that of others cannot be told from here, and most have this one. */
const VERSIONS: readonly (readonly [group: string, kind: RegExp, version: string])[] = [
  ["infrastructure.cluster.x-k8s.io", /^Metal/, "v1alpha3"],
  ["bootstrap.cluster.x-k8s.io", /^Talos/, "v1alpha3"],
  ["controlplane.cluster.x-k8s.io", /^Talos/, "v1alpha3"],
];
const OTHERS = "v1beta1";

/** The API version under which contract v1beta1 knows the kind. */
export function versionUnderV1Beta1(group: string, kind: string): string {
  return VERSIONS.find(([known, pattern]) => known === group && pattern.test(kind))?.[2] ?? OTHERS;
}

export function referenceUp({ apiVersion = "", kind = "", name = "" }: ObjectReference): ContractVersionedObjectReference {
  return { apiGroup: parseApiVersion(apiVersion)?.group ?? "", kind, name };
}

export function referenceDown({ apiGroup, kind, name }: ContractVersionedObjectReference): ObjectReference {
  const apiVersion = apiGroup === "" ? undefined : `${apiGroup}/${versionUnderV1Beta1(apiGroup, kind)}`;
  return present({ apiVersion, kind: kind === "" ? undefined : kind, name: name === "" ? undefined : name });
}
