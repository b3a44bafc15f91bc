/** TalosConfig: the configuration of a machine in a Secret, made once from the secrets of its cluster, which are made here too. */
import { decideTalosConfig, failedTalosConfig } from "#decide/talos-config/decide.ts";
import type { TalosConfigEffect } from "#decide/talos-config/decide.ts";
import type { ObservedTalosConfig } from "#decide/talos-config/observed.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Change } from "#kube/cache.ts";
import type { Controller, Reader } from "#kube/controller.ts";
import { controller, on, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { Secret } from "#kube/secret.ts";
import { equal } from "#std/json.ts";
import type { Secrets } from "#talos/secrets.ts";
import { act } from "./act.ts";
import { Bundles } from "./bundles.ts";
import { createTalosClusterController } from "./cluster.ts";
import type { TalosClusterPorts } from "./cluster.ts";
import { observeTalosConfig } from "./observe.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { configKeyOf, Members } from "./owners.ts";

/** Two controllers: one for what the machines of a cluster share, one for each machine's own. */
export function createTalosConfigControllers(ports: TalosClusterPorts): Controller[] {
  const bundles = new Bundles(ports.pki);
  const members = new Members();
  return [createTalosClusterController(ports, bundles, members), createConfigController(bundles, members)] as Controller[];
}

function createConfigController(
  bundles: Bundles,
  members: Members,
): Controller<TalosConfig, ObservedTalosConfig<Secrets>, TalosConfigEffect<Secrets>> {
  return controller({
    name: "talos-config",
    kind: TalosConfig,
    reads: [
      on(TalosConfig),
      on(Machine, configOfMachine),
      on(Cluster, (change, reader) => (matters(change) ? members.keysOf(keyOf(change.object), reader) : [])),
      on(Secret, (change, reader) => configsOfSecret(change, reader, members)),
    ],
    writes: [
      writing(TalosConfig, "metadata.finalizers", "status"),
      writing(Secret, "<machine>-bootstrap-data", "<cluster>-ca of a given configuration"),
    ],
    observe: (reader, _key, config) => observeTalosConfig(reader, config, bundles),
    decide: (observed: ObservedTalosConfig<Secrets>, now) => decideTalosConfig(observed, now),
    act,
    failed: failedTalosConfig,
  });
}

function configOfMachine({ type, object, old }: Change<Machine>): string[] {
  const isSame =
    type === "update" && equal(old?.spec, object.spec) && equal(old?.metadata.annotations, object.metadata.annotations);
  const key = isSame && old?.metadata.deletionTimestamp === object.metadata.deletionTimestamp ? undefined : configKeyOf(object);
  return key === undefined ? [] : [key];
}

/** Of a Cluster, whose status changes with every machine, only this matters to their configurations. */
function matters({ type, object, old }: Change<Cluster>): boolean {
  if (type !== "update" || old === undefined) return true;
  const seen = ({ spec, status }: Cluster) => [
    spec?.paused === true,
    spec?.controlPlaneEndpoint ?? {},
    status?.initialization?.infrastructureProvisioned === true,
  ];
  return !equal(seen(old), seen(object));
}

/** Configs that wait for a Secret, or have lost theirs. */
function configsOfSecret({ type, key, object }: Change<Secret>, reader: Reader, members: Members): string[] {
  const clusterOf = (suffix: string): string => key.slice(0, -suffix.length);
  const isMade = ({ status }: TalosConfig): boolean => status?.initialization?.dataSecretCreated === true;
  if (key.endsWith("-bootstrap-data")) {
    const machine = reader.of(Machine).get(clusterOf("-bootstrap-data"));
    const config = machine && configKeyOf(machine);
    return config === undefined ? [] : [config];
  }
  if (key.endsWith("-talos")) return members.keysOf(clusterOf("-talos"), reader, (config) => !isMade(config));
  if (key.endsWith("-talosconfig") && (type !== "update" || object.metadata.deletionTimestamp !== undefined))
    return members.keysOf(clusterOf("-talosconfig"), reader, ({ spec }) => spec?.generateType !== "worker");
  return [];
}
