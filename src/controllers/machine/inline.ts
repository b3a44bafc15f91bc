/** Machines of Cluster API v1alpha2 that carry their configuration: it is put into the Secret that later versions read. */
import { decideInline, inlineDataOf, type ObservedInline, type StoreInline } from "#decide/machine/inline.ts";
import { ownedBy } from "#decide/cluster/owner.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { type Acting, type Controller, controller, on, writing } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import { isAlreadyExists } from "#kube/status.ts";

export const inlineController: Controller<Machine, ObservedInline, StoreInline> = controller({
  name: "machine-inline-data",
  kind: Machine,
  reads: [
    on(Secret, ({ type, key, object }, reader) => {
      if (type !== "delete") return [];
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === "Machine");
      const machine = `${object.metadata.namespace}/${owner?.name}`;
      return reader.of(Machine).get(machine) === undefined || !key.endsWith("-bootstrap-data") ? [] : [machine];
    }),
  ],
  writes: [writing(Secret, "<machine>-bootstrap-data of a Machine that carries its configuration")],
  observe(reader, _key, machine) {
    if (machine === undefined) return undefined;
    const secret = `${machine.metadata.namespace}/${machine.spec?.bootstrap.dataSecretName}`;
    return { machine, data: inlineDataOf(machine), hasSecret: reader.of(Secret).get(secret) !== undefined };
  },
  decide: decideInline,
  act: store,
});

async function store({ machine, secret }: StoreInline, { client, signal }: Acting): Promise<void> {
  const { namespace = "", name = "" } = machine.metadata;
  const value = inlineDataOf(await client.for(Machine).in(namespace).get(name, { signal }));
  if (value === undefined) return;
  const metadata = {
    name: secret,
    namespace,
    labels: { [CLUSTER_NAME]: machine.spec?.clusterName ?? "" },
    ownerReferences: [ownedBy(machine, true)],
  };
  try {
    await client.for(Secret).create({ metadata, type: "cluster.x-k8s.io/secret", data: { value } }, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
