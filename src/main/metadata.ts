/** What configurations are made of, and where it is put on record who has had one: live reads and status patches of the Kubernetes API. */
import type { Machine, MetadataPort, Secret } from "#boot/metadata/port.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Client } from "#kube/client.ts";
import type { Recorder } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { ifThere } from "#kube/status.ts";

const Secrets = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

export function createMetadataPort(client: Client, events: Recorder): MetadataPort {
  const bindings = client.for(ServerBinding);
  const metalMachines = client.for(MetalMachine);
  const secrets = client.for(Secrets);
  return {
    binding: (name) => ifThere(bindings.get(name)),
    metalMachine: (namespace, name) => ifThere(metalMachines.in(namespace).get(name)),
    machine(version, namespace, name) {
      const machines = kindRef<Machine>({
        group: "cluster.x-k8s.io",
        version,
        kind: "Machine",
        plural: "machines",
        scope: "Namespaced",
      });
      return ifThere(client.for(machines).in(namespace).get(name));
    },
    secret: (namespace, name) => ifThere(secrets.in(namespace).get(name)),
    async record({ metadata: { name = "", uid = "" } }, status) {
      await bindings.patch(name, { metadata: { uid }, status: { ...status } }, { subresource: "status" });
    },
    event: (about, type, reason, message) => events.record(about, { type, reason, message }),
  };
}
