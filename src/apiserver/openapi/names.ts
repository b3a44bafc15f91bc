/** What schemas are called in OpenAPI documents: the group backwards, as Java packages are. */
import type { Definition } from "#schema/definition.ts";

/** `io.example.lab.v1.Machine`; built-in kinds as clients generated from Kubernetes know them: `io.k8s.api.core.v1.Secret`. */
export function schemaName(definition: Definition, version: string): string {
  return `${packageOf(definition)}.${version}.${definition.kind}`;
}

export function listSchemaName(definition: Definition, version: string): string {
  return `${packageOf(definition)}.${version}.${definition.listKind}`;
}

function packageOf({ group, custom }: Definition): string {
  if (custom) return group.split(".").toReversed().join(".");
  if (group === "apiextensions.k8s.io") return "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions";
  return `io.k8s.api.${group === "" ? "core" : group.split(".")[0]!}`;
}
