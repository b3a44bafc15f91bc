/** What admission adds to the core kinds, and what it looks at in all of their versions alike (§2.2). They see what was sent, unchecked. */
import type { FieldError, FieldPath } from "#schema/field.ts";
import { invalid } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { CLUSTER_NAME } from "./keys.ts";

/** semver.org's grammar behind a v. */
const VERSION =
  /^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;
/** Seconds, as v1beta2 has it; v1beta1 says `10s`. */
const NODE_DELETION = 10;

export function specOf(object: KubeObject): JsonObject | undefined {
  return isObject(object["spec"]) ? object["spec"] : undefined;
}

/** Every object of a Cluster carries its name as a label. */
export function labelWithCluster(object: KubeObject): void {
  const name = specOf(object)?.["clusterName"];
  if (typeof name !== "string" || name === "") return;
  object.metadata.labels = { ...object.metadata.labels, [CLUSTER_NAME]: name };
}

/** `1.34.1` is meant as `v1.34.1`. */
export function prefixVersion(spec: JsonObject | undefined): void {
  const version = spec?.["version"];
  if (typeof version === "string" && version !== "" && !version.startsWith("v")) spec!["version"] = `v${version}`;
}

export function validateVersion(version: string | undefined, path: FieldPath): FieldError[] {
  if (version === undefined || version === "" || VERSION.test(version)) return [];
  return [invalid(path, version, "must be a valid semantic version")];
}

export function defaultMachine(machine: KubeObject): void {
  labelWithCluster(machine);
  const spec = specOf(machine);
  if (spec === undefined) return;
  prefixVersion(spec);
  if (machine.apiVersion.endsWith("/v1beta2")) {
    const deletion = spec["deletion"] ?? {};
    if (isObject(deletion)) spec["deletion"] = { nodeDeletionTimeoutSeconds: NODE_DELETION, ...deletion };
  } else {
    spec["nodeDeletionTimeout"] ??= `${NODE_DELETION}s`;
  }
}
