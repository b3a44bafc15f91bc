import type { TalosConfigEffect } from "#decide/talos-config/decide.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import type { Identity } from "#decide/talos-config/observed.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Acting } from "#kube/controller.ts";
import type { KindRef } from "#kube/kind.ts";
import { entries, Secret } from "#kube/secret.ts";
import { isAlreadyExists } from "#kube/status.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { OwnerReference } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { KeyPair } from "#talos/pki.ts";
import type { Secrets } from "#talos/secrets.ts";
import { kubernetesAuthorityOf, makeConfig, printBootstrapData } from "./config.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";

/** One effect; each is harmless when it has already happened. */
export async function act(effect: TalosConfigEffect<Secrets>, acting: Acting): Promise<void> {
  switch (effect.do) {
    case "write-data": {
      const { owner, cluster, secretName, spec, inputs, secrets } = effect;
      const config = makeConfig(spec.reveal(), inputs, secrets?.reveal());
      const authority = effect.keepAuthority ? kubernetesAuthorityOf(config) : undefined;
      if (authority !== undefined) await ensureAuthority(cluster, authority, acting);
      const value = printBootstrapData(config, inputs);
      return createSecret(secretName, TalosConfig, owner, cluster, { value }, acting);
    }
    case "own-data":
      return ownSecret(effect.secretName, TalosConfig, effect.owner, acting);
    case "drop-finalizer": {
      const { namespace, name, resourceVersion, finalizers } = effect;
      const configs = acting.client.for(TalosConfig).in(namespace);
      await configs.patch(name, { metadata: { resourceVersion, finalizers: [...finalizers] } }, { signal: acting.signal });
    }
  }
}

/** Rejects with Fault `kube.behind` when there is one: the caches have yet to show whose it is. */
export async function createSecret(
  name: string,
  kind: KindRef,
  owner: Identity,
  cluster: Identity,
  texts: Readonly<Record<string, string>>,
  { client, signal }: Acting,
): Promise<void> {
  const metadata = {
    name,
    namespace: owner.namespace,
    labels: { [CLUSTER_NAME]: cluster.name },
    ownerReferences: [referenceTo(kind, owner)],
  };
  try {
    await client.for(Secret).create({ metadata, data: entries(texts) }, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    throw new Fault("kube.behind", `Secret ${name} is there already`, { fault: "world", retry: "soon", cause: error });
  }
}

/** Kubernetes' authority where Cluster API's other providers look for it. Another machine's may have been first. */
export async function ensureAuthority(cluster: Identity, { certificate, key }: KeyPair, acting: Acting): Promise<void> {
  const texts = { "tls.crt": certificate, "tls.key": key };
  try {
    await createSecret(`${cluster.name}-ca`, Cluster, cluster, cluster, texts, acting);
  } catch (error) {
    if (!Fault.is(error, "kube.behind")) throw error;
  }
}

/** Gives a Secret that nobody owns to the one that it was made for. */
export async function ownSecret(name: string, kind: KindRef, owner: Identity, { client, signal }: Acting): Promise<void> {
  const secrets = client.for(Secret).in(owner.namespace);
  const { metadata } = await secrets.get(name, { signal });
  // Somebody may have been first: theirs it is.
  if ((metadata.ownerReferences ?? []).length > 0) return;
  const { resourceVersion = "" } = metadata;
  await secrets.patch(name, { metadata: { resourceVersion, ownerReferences: [{ ...referenceTo(kind, owner) }] } }, { signal });
}

function referenceTo({ group, version, kind }: KindRef, { name, uid }: Identity): OwnerReference {
  return { apiVersion: apiVersionOf(group, version), kind, name, uid, controller: true, blockOwnerDeletion: true };
}
