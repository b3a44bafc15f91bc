/** The Secrets that Servers name for their BMCs: when one changes, its BMC is tried again at once. What is in them is read by whoever logs in, and not here. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { kindRef } from "#kube/kind.ts";
import { Server as Servers } from "#kinds/metal/v1alpha2/server.ts";
import type { KubeObject } from "#schema/meta.ts";

export const Secret = kindRef<KubeObject>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

/** `namespace/name` of each, sorted. */
export function secretsOf({ spec }: Server): string[] {
  const sources = [spec?.bmc?.userFrom, spec?.bmc?.passFrom];
  const keys = sources.flatMap((source) => {
    const { namespace, name } = source?.secretKeyRef ?? {};
    return name === undefined ? [] : [`${namespace || "default"}/${name}`];
  });
  return [...new Set(keys)].sort();
}

/** Says in which state the Secrets are; nothing of what is in them. */
export function credentialsOf(server: Server, reader: Reader): string {
  const secrets = reader.of(Secret);
  return secretsOf(server)
    .map((key) => `${key}@${secrets.get(key)?.metadata.resourceVersion ?? ""}`)
    .join(" ");
}

/** Names of the Servers that name a Secret. */
export class SecretUsers {
  #index: Index<Server> | undefined;

  of(key: string, reader: Reader): string[] {
    this.#index ??= reader.of(Servers).index(secretsOf);
    return this.#index.get(key).map(({ metadata }) => metadata.name ?? "");
  }
}
