/** What our server does in process for our kinds, and what of it needs more than their descriptions. */
import { whereErrors } from "#decide/server-class.ts";
import { isObject } from "#std/json.ts";
import type { Extension } from "#schema/definition.ts";
import { type Family, toExtension } from "#schema/family.ts";
import type { KubeObject } from "#schema/meta.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";

/** By group and kind. */
export function ourExtensions(families: readonly Family[]): Map<string, Extension> {
  return new Map(families.map((family) => [`${family.storage.group}/${family.storage.kind}`, extensionOf(family)]));
}

function extensionOf(family: Family): Extension {
  const extension = toExtension(family);
  if (family.storage !== ServerClass) return extension;
  return {
    ...extension,
    validate: (object, old, context) => [
      ...(extension.validate?.(object, old, context) ?? []),
      ...whereErrors(specOf(object), specOf(old)),
    ],
  };
}

function specOf(object: KubeObject | undefined): { readonly where?: unknown } | undefined {
  const spec = object?.["spec"];
  return isObject(spec) ? spec : undefined;
}
