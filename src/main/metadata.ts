/** What configurations are made of, and where it is put on record who has had one: live reads and status patches of the Kubernetes API. */
import type { Machine, MetadataPort, Secret } from "#boot/metadata/port.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Client } from "#kube/client.ts";
import type { Recorder } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { ifThere, isConflict } from "#kube/status.ts";
import { equal } from "#std/json.ts";

const Secrets = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

/** How often somebody else may be faster with another field. */
const ATTEMPTS = 10;

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
    async record(binding, status) {
      const { name = "", uid = "" } = binding.metadata;
      const write = (metadata: object): Promise<unknown> =>
        bindings.patch(name, { metadata: { uid, ...metadata }, status: { ...status } }, { subresource: "status" });
      if ("intruder" in status) return void (await write({}));
      for (let { resourceVersion } = binding.metadata, attempt = 1; ; attempt++) {
        try {
          return void (await write({ resourceVersion }));
        } catch (error) {
          if (!isConflict(error) || attempt === ATTEMPTS) throw error;
          const now = await bindings.get(name);
          // Another boot has had it, or somebody asks as this machine: who asks again is judged by that.
          if (!isSame(now.status, binding.status)) throw error;
          ({ resourceVersion } = now.metadata);
        }
      }
    },
    event: (about, type, reason, message) => events.record(about, { type, reason, message }),
  };
}

function isSame(a: ServerBinding["status"], b: ServerBinding["status"]): boolean {
  return equal([a?.configuration ?? null, a?.intruder ?? null], [b?.configuration ?? null, b?.intruder ?? null]);
}
