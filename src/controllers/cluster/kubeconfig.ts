/** Secret `<cluster>-kubeconfig` of a Cluster without a control plane object. */
import type { Credentials } from "#decide/cluster/kubeconfig.ts";
import { isSameOwner, ownedBy } from "#decide/cluster/owner.ts";
import type { Clock } from "#io/clock.ts";
import type { Pki } from "#io/pki.ts";
import { CLUSTER_NAME, CLUSTER_SECRET } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Acting, Reader } from "#kube/controller.ts";
import { entries, entryOf, Secret } from "#kube/secret.ts";
import { ifThere } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { issueKubernetesAdmin, printKubeconfig, readKubeconfig } from "#talos/kubeconfig.ts";
import type { KeyPair } from "#talos/pki.ts";

export interface MintingPorts {
  readonly pki: Pki;
  readonly clock: Clock;
}

function authorityOf(secret: Secret | undefined): KeyPair | undefined {
  const certificate = secret && entryOf(secret, "tls.crt");
  const key = secret && entryOf(secret, "tls.key");
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

export function credentialsOf(cluster: Cluster, key: string, reader: Reader, pki: Pki): Credentials {
  const secrets = reader.of(Secret);
  const secret = secrets.get(`${key}-kubeconfig`);
  const hasAuthority = authorityOf(secrets.get(`${key}-ca`)) !== undefined;
  if (secret === undefined) return { hasAuthority, kubeconfig: undefined };
  const owner = ownedBy(cluster, false);
  const isOurs = (secret.metadata.ownerReferences ?? []).some((each) => isSameOwner(each, owner));
  const { server, certificate } = readKubeconfig(entryOf(secret, "value") ?? "") ?? {};
  return { hasAuthority, kubeconfig: { isOurs, server, endsAt: certificate === undefined ? undefined : pki.endOf(certificate) } };
}

/** Makes it, or makes it anew. */
export async function writeKubeconfig(
  cluster: Cluster,
  server: string,
  { pki, clock }: MintingPorts,
  { client, signal }: Acting,
) {
  const { namespace = "", name = "" } = cluster.metadata;
  const secrets = client.for(Secret).in(namespace);
  const authority = authorityOf(await secrets.get(`${name}-ca`, { signal }));
  if (authority === undefined)
    throw new Fault("cluster.no-authority", `Secret ${name}-ca has no key`, { fault: "caller", retry: "later" });
  const issued = await issueKubernetesAdmin(authority, { pki, now: clock.now() });
  const data = entries({ value: printKubeconfig({ clusterName: name, server, ca: authority.certificate, client: issued }) });
  const present = await ifThere(secrets.get(`${name}-kubeconfig`, { signal }));
  if (present !== undefined) {
    const { resourceVersion = "" } = present.metadata;
    await secrets.patch(`${name}-kubeconfig`, { metadata: { resourceVersion }, data }, { signal });
    return;
  }
  const { controller: _controller, blockOwnerDeletion: _block, ...owner } = ownedBy(cluster, false);
  const metadata = { name: `${name}-kubeconfig`, namespace, labels: { [CLUSTER_NAME]: name }, ownerReferences: [owner] };
  await secrets.create({ metadata, type: CLUSTER_SECRET, data }, { signal });
}
