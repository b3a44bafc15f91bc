/** Our kinds on a server that does not have them. */
import { families } from "#kinds/index.ts";
import type { Client } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import { type Crd, toCrd } from "#schema/crd.ts";

interface Definition extends Crd {
  status?: { conditions?: { type: string; status: string }[] };
}

const Definition = kindRef<Definition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  scope: "Cluster",
});

export async function createDefinitions(client: Client): Promise<void> {
  for (const family of families) await client.for(Definition).create(toCrd(family));
}
