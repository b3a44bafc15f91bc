/** Where the keys are that erase records are signed with: a ConfigMap that everybody may read, one entry for each key there has been. */
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import type { Client } from "./client.ts";
import { kindRef } from "./kind.ts";
import { ifThere, isAlreadyExists } from "./status.ts";

interface ConfigMap extends KubeObject {
  metadata: ObjectMeta;
  data?: Record<string, string>;
}

const ConfigMap = kindRef<ConfigMap>({ group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", scope: "Namespaced" });
const NAMESPACE = "kube-system";
const NAME = "sidero-erase-keys";

const entryOf = (keyId: string): string => `${keyId}.pem`;

/** Adds a key (PEM); those before it stay, for the records that they signed. Rejects as the client does. */
export async function publishEraseKey(client: Client, keyId: string, publicKey: string): Promise<void> {
  const place = client.for(ConfigMap).in(NAMESPACE);
  const data = { [entryOf(keyId)]: publicKey };
  try {
    await place.create({ metadata: { name: NAME, namespace: NAMESPACE }, data });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await place.patch(NAME, { data });
  }
}

/** The key with this identifier (PEM); undefined when it was never published. */
export async function eraseKey(client: Client, keyId: string): Promise<string | undefined> {
  const published = await ifThere(client.for(ConfigMap).in(NAMESPACE).get(NAME));
  return published?.data?.[entryOf(keyId)];
}
