/**
 * Server: the life cycle of a machine (`decide/lifecycle/`). Nothing in here waits for a BMC or an agent: what is begun is on record, and whoever
 * has carried it out wakes the Server.
 */
import { decideLifecycle } from "#decide/lifecycle/lifecycle.ts";
import type { Machine } from "#decide/lifecycle/machine.ts";
import type { Clock } from "#io/clock.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import type { Metrics } from "#kube/metrics.ts";
import { act } from "./act.ts";
import type { ServerEffect } from "./act.ts";
import { BootTimes } from "./boot-times.ts";
import { Census } from "./census.ts";
import { CLUSTER_LABEL } from "#decide/lifecycle/server.ts";
import { observeServer } from "./observe.ts";
import type { ObserveOptions } from "./observe.ts";
import type { Agents, Clusters, Power, Sightings } from "./ports.ts";
import { credentialsOf, Secret, SecretUsers } from "./secrets.ts";

export interface ServerControllerOptions {
  readonly power: Power;
  readonly agents: Agents;
  /** Absent where there is no Cluster API. */
  readonly clusters?: Clusters;
  readonly sightings?: Sightings;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly settings: ObserveOptions["settings"];
}

/** Upstream's, so that Servers move over as they are. */
export const FINALIZER = "storage.finalizers.server.k8s.io";

const WRITES = [
  ...[
    "ready",
    "inUse",
    "isClean",
    "conditions",
    "power",
    "phase",
    "waiting",
    "wipe",
    "action",
    "bmc",
    "allocation",
    "request",
  ].map((field) => `status.${field}`),
  "status.bootSeconds",
  "metadata.ownerReferences",
];

/** One per runtime: it follows the caches of that runtime. */
export function createServerController(options: ServerControllerOptions): Controller<Server, Machine, ServerEffect> {
  const { power, agents, clusters, sightings, clock, metrics, settings } = options;
  const census = new Census(metrics);
  const times = new BootTimes();
  const users = new SecretUsers();
  let agentsSince = clock.now();

  return controller<Server, Machine, ServerEffect>({
    name: "server",
    kind: Server,
    reads: [
      on(Server, (change) => {
        census.changed(change);
        times.changed(change);
        if (change.type === "delete") power.forget(change.key);
        return [change.key];
      }),
      on(ServerBinding),
      on(Secret, ({ key }, reader) => users.of(key, reader)),
    ],
    writes: [writing(Server, ...WRITES)],
    finalizer: FINALIZER,
    listen(wake, reader) {
      agentsSince = clock.now();
      const wakeServer = (machine: string): void => {
        if (reader.of(Server).get(machine) !== undefined) wake(machine);
      };
      const ends = [
        power.onChange(wakeServer),
        agents.onChange(wakeServer),
        sightings?.onAsk(wakeServer),
        clusters?.onChange((namespace, name) => heldBy(reader, namespace, name).forEach(wakeServer)),
      ];
      return () => ends.forEach((end) => end?.());
    },
    observe(reader, name, server) {
      if (server === undefined) return undefined;
      census.looked(name, server.status?.waiting, clock.now());
      // A BMC of a machine that nobody has accepted is not ours to speak to.
      if (server.spec?.accepted === true) power.follow(server, credentialsOf(server, reader));
      else power.forget(name);
      return observeServer(server, reader.of(ServerBinding).get(name), {
        power,
        agents,
        ...(clusters && { clusters }),
        ...(sightings && { sightings }),
        settings,
        agentsSince,
        modelBootSeconds: times.of(server),
      });
    },
    decide(machine, now) {
      const { effects, ...decision } = decideLifecycle(machine, now);
      return { ...decision, effects: effects.map((effect) => ({ machine: machine.name, uid: machine.uid, effect })) };
    },
    act: (effect, acting) => act(effect, { power, agents, ...(clusters && { clusters }) }, acting),
  });
}

/** Servers that are, or were last, a cluster's. Seldom asked: when one is paused or goes on. */
function heldBy(reader: Reader, namespace: string, cluster: string): string[] {
  const servers = [...reader.of(Server).values()].filter(
    ({ status }) => status?.allocation?.namespace === namespace && status.allocation.cluster === cluster,
  );
  const bindings = [...reader.of(ServerBinding).values()].filter(
    ({ metadata, spec }) => metadata.labels?.[CLUSTER_LABEL] === cluster && spec?.metalMachineRef.namespace === namespace,
  );
  return [...servers, ...bindings].map(({ metadata }) => metadata.name ?? "");
}
