/** Makes the Secret `<cluster>-kubeconfig`, or makes it anew. */
import type { Clock } from "#io/clock.ts";
import type { Pki } from "#io/pki.ts";
import { CLUSTER_NAME, CLUSTER_SECRET } from "#kinds/cluster/keys.ts";
import type { Acting } from "#kube/controller.ts";
import { entries, Secret } from "#kube/secret.ts";
import { ifThere } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { issueKubernetesAdmin, printKubeconfig } from "#talos/kubeconfig.ts";
import type { Plane } from "./plane.ts";
import { ownerOf } from "./plane.ts";
import { authorityOf } from "./secrets.ts";

export interface MintingPorts {
  readonly pki: Pki;
  readonly clock: Clock;
}

export async function writeKubeconfig(
  plane: Plane,
  server: string,
  { pki, clock }: MintingPorts,
  { client, signal }: Acting,
): Promise<void> {
  const { namespace, cluster } = plane;
  const secrets = client.for(Secret).in(namespace);
  const authority = authorityOf(await secrets.get(`${cluster}-ca`, { signal }));
  if (authority === undefined)
    throw new Fault("talos.no-authority", `Secret ${cluster}-ca has no key`, { fault: "caller", retry: "later" });
  const issued = await issueKubernetesAdmin(authority, { pki, now: clock.now() });
  const value = printKubeconfig({ clusterName: cluster, server, ca: authority.certificate, client: issued });
  const data = entries({ value });
  const name = `${cluster}-kubeconfig`;
  const present = await ifThere(secrets.get(name, { signal }));
  if (present !== undefined) {
    const { resourceVersion = "" } = present.metadata;
    await secrets.patch(name, { metadata: { resourceVersion }, data }, { signal });
    return;
  }
  const metadata = {
    name,
    namespace,
    labels: { [CLUSTER_NAME]: cluster },
    ownerReferences: [{ ...ownerOf(plane), controller: true }],
  };
  await secrets.create({ metadata, type: CLUSTER_SECRET, data }, { signal });
}
