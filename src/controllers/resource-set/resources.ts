/** Secrets and ConfigMaps with manifests. */
import type { SeenResource } from "#decide/resource-set/decide.ts";
import type { Digest } from "#io/digest.ts";
import type { Reader } from "#kube/controller.ts";
import { kindRef } from "#kube/kind.ts";
import { entryOf, Secret } from "#kube/secret.ts";
import type { KubeObject } from "#schema/meta.ts";

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
export const ConfigMap = kindRef<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  scope: "Namespaced",
});

/** Others hold passwords, and are nobody's to copy into clusters. */
const SECRET_TYPE = "addons.cluster.x-k8s.io/resource-set";

function isSecret(object: KubeObject): object is Secret {
  return object.kind === "Secret";
}

/** The entries as texts, in the order of their keys. */
export function textsOf(object: Secret | ConfigMap): string[] {
  const keys = Object.keys(object.data ?? {}).toSorted();
  return keys.flatMap((key) => (isSecret(object) ? (entryOf(object, key) ?? []) : (object.data?.[key] ?? [])));
}

export function seen(
  { kind, name }: { readonly kind: "Secret" | "ConfigMap"; readonly name: string },
  namespace: string,
  reader: Reader,
  digest: Digest,
): SeenResource {
  const key = `${namespace}/${name}`;
  const object = kind === "Secret" ? reader.of(Secret).get(key) : reader.of(ConfigMap).get(key);
  if (object === undefined) return { kind, name, problem: "does not exist", hash: "", object };
  if (isSecret(object) && object.type !== SECRET_TYPE)
    return { kind, name, problem: `is not of type ${SECRET_TYPE}`, hash: "", object: undefined };
  return { kind, name, problem: undefined, hash: `sha256:${digest(JSON.stringify(textsOf(object)))}`, object };
}
