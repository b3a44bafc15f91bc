/** What there is to make a cluster of: Servers of the classes, and the Talos that they boot. */
import { DEFAULT_ENVIRONMENT } from "#decide/environment/default.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Client } from "#kube/client.ts";
import { ifThere } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";

/** Such as v1.13.9, by the Environment that machines of the class boot; undefined where its URLs do not say it. */
export async function bootedTalos(client: Client, serverClass: string): Promise<string | undefined> {
  const found = await ifThere(client.for(ServerClass).get(serverClass));
  const environment = await ifThere(client.for(Environment).get(found?.spec?.environmentRef?.name || DEFAULT_ENVIRONMENT));
  return /\/(v1\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\//.exec(environment?.spec?.kernel?.url ?? "")?.[1];
}

/** Sentences about what the objects ask for and is not there; empty when there is enough. */
export async function shortages(client: Client, objects: readonly KubeObject[]): Promise<string[]> {
  const wanted = wantedOf(objects);
  const lines = [...wanted].map(async ([name, count]) => {
    const found = await ifThere(client.for(ServerClass).get(name));
    if (found === undefined) return `there is no ServerClass ${name} yet: nothing can be picked from it`;
    const { length } = found.status?.serversAvailable ?? [];
    return length >= count ? undefined : `ServerClass ${name} has ${length} Servers available, and ${count} are wanted`;
  });
  return (await Promise.all(lines)).filter((line) => line !== undefined);
}

interface MachineTemplateSpec {
  readonly template?: { readonly spec?: { readonly serverClassRef?: { readonly name?: string } } };
}

interface SetSpec {
  readonly replicas?: number;
  readonly infrastructureTemplate?: { readonly name?: string };
  readonly template?: { readonly spec?: { readonly infrastructureRef?: { readonly name?: string } } };
}

/** How many Servers of each class. */
function wantedOf(objects: readonly KubeObject[]): Map<string, number> {
  const classes = new Map<string, string>();
  for (const { kind, metadata, spec } of objects) {
    const name = kind === "MetalMachineTemplate" ? (spec as MachineTemplateSpec).template?.spec?.serverClassRef?.name : undefined;
    if (name !== undefined) classes.set(metadata.name ?? "", name);
  }
  const wanted = new Map<string, number>();
  for (const { kind, spec } of objects) {
    if (kind !== "TalosControlPlane" && kind !== "MachineDeployment") continue;
    const { replicas = 1, infrastructureTemplate, template } = spec as SetSpec;
    const from = (infrastructureTemplate ?? template?.spec?.infrastructureRef)?.name;
    const name = from === undefined ? undefined : classes.get(from);
    if (name !== undefined) wanted.set(name, (wanted.get(name) ?? 0) + replicas);
  }
  return wanted;
}
