/** The Secrets of a cluster that its control plane reads: `<cluster>-talosconfig`, `<cluster>-ca`, and `<cluster>-kubeconfig`, which it makes. */
import type { ObservedKubeconfig } from "#decide/talos-control-plane/machine.ts";
import type { Pki } from "#io/pki.ts";
import { CLUSTER_SECRET } from "#kinds/cluster/keys.ts";
import type { Secret } from "#kube/secret.ts";
import { entryOf } from "#kube/secret.ts";
import { Fault } from "#std/fault.ts";
import { readKubeconfig } from "#talos/kubeconfig.ts";
import type { KeyPair } from "#talos/pki.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";
import type { Credentials } from "./ports.ts";

/** Undefined for one that is not there, or cannot be read: then it is about to be made anew. */
export function credentialsOf(secret: Secret | undefined): Credentials | undefined {
  const text = secret && entryOf(secret, "talosconfig");
  if (text === undefined) return undefined;
  try {
    const { ca, client } = parseTalosconfig(text);
    return { ca, crt: client.certificate, key: client.key };
  } catch (error) {
    if (Fault.is(error)) return undefined;
    throw error;
  }
}

export function authorityOf(secret: Secret | undefined): KeyPair | undefined {
  const certificate = secret && entryOf(secret, "tls.crt");
  const key = secret && entryOf(secret, "tls.key");
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** What has to be known of a kubeconfig to know whether to make it anew. */
export function kubeconfigOf(
  secret: Secret | undefined,
  controlPlane: string,
  authority: KeyPair | undefined,
  pki: Pki,
): ObservedKubeconfig | undefined {
  if (secret === undefined) return undefined;
  const owners = secret.metadata.ownerReferences ?? [];
  const isOurs = owners.some(({ kind, name }) => kind === "TalosControlPlane" && name === controlPlane);
  const { server, ca, certificate } = readKubeconfig(entryOf(secret, "value") ?? "") ?? {};
  const isOrphan = secret.type === CLUSTER_SECRET && owners.every(({ controller }) => controller !== true);
  return {
    isOurs,
    isOrphan: isOrphan && !isOurs,
    server,
    isOfAuthority: authority !== undefined && ca === authority.certificate,
    endsAt: certificate === undefined ? undefined : pki.endOf(certificate),
  };
}
