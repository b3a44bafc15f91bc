/** ClusterClass: owns its templates, and tells its variables. */
import { type ClassEffect, decideClass, type ObservedClass } from "#decide/topology/class.ts";
import { templatesOf } from "#decide/topology/observed.ts";
import { ClusterClass, type TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { ContractKinds, ContractReference } from "#kube/contract.ts";
import { type Controller, controller, REFERENCED, writing } from "#kube/controller.ts";
import { type Externals, kindIdOf } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import { isNotFound } from "#kube/status.ts";
import { parseApiVersion } from "#schema/meta.ts";

export interface ClassPorts {
  readonly kinds: ContractKinds;
  readonly externals: Externals;
}

export function createClusterClassController({
  kinds,
  externals,
}: ClassPorts): Controller<ClusterClass, ObservedClass, ClassEffect> {
  return controller({
    name: "cluster-class",
    kind: ClusterClass,
    writes: [writing(ClusterClass, "status"), writing(REFERENCED, "template owners of a ClusterClass")],
    listen: (wake, reader) =>
      externals.onChange((kind) => {
        for (const each of reader.of(ClusterClass).values())
          if (templatesOf(each).some((reference) => kindIdOf(referenceTo(reference)) === kind)) wake(keyOf(each));
      }),
    observe: (_reader, _key, clusterClass) => observe(clusterClass, externals),
    decide: decideClass,
    async act({ reference, namespace, owners }, { client, signal }) {
      const kind = await kinds.of(referenceTo(reference), { signal });
      const ownerReferences = owners.map((owner) => ({ ...owner }));
      try {
        await client.for(kind).in(namespace).patch(reference.name, { metadata: { ownerReferences } }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  });
}

/** Undefined while a template is not known yet. */
function observe(clusterClass: ClusterClass | undefined, externals: Externals): ObservedClass | undefined {
  if (clusterClass === undefined) return undefined;
  const { namespace = "" } = clusterClass.metadata;
  const references = [...new Map(templatesOf(clusterClass).map((each) => [`${each.kind}/${each.name}`, each])).values()];
  const looks = references.map((reference) => ({ reference, look: externals.look(referenceTo(reference), namespace) }));
  if (looks.some(({ look }) => look.is === "unknown")) return undefined;
  const templates = looks.flatMap(({ reference, look }) =>
    look.is === "there" ? [{ reference, owners: look.object.metadata.ownerReferences ?? [] }] : [],
  );
  return { clusterClass, templates, missing: looks.filter(({ look }) => look.is !== "there").map(({ reference }) => reference) };
}

function referenceTo({ apiVersion, kind, name }: TemplateReference): ContractReference {
  return { apiGroup: parseApiVersion(apiVersion)?.group ?? "", kind, name };
}
