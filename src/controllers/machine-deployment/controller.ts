/** MachineDeployment: sets of machines that follow each other when what is wanted of machines changes. */
import { decideDeployment } from "#decide/machine-deployment/decide.ts";
import type { DeploymentEffect } from "#decide/machine-deployment/effect.ts";
import type { ObservedDeployment } from "#decide/machine-deployment/observed.ts";
import { pauseOf } from "#decide/machines/pause.ts";
import { MACHINE_DEPLOYMENT_FINALIZER } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { type Controller, controller, on, type Reader, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { equal } from "#std/json.ts";
import { act, type DeploymentPorts } from "./act.ts";
import { clusterKeyOf, Sets } from "./sets.ts";

/** Milliseconds in which the changes of many machines become one write. */
const SETTLE = 100;

/** One per runtime: it indexes the caches of that runtime. */
export function createMachineDeploymentController(
  ports: DeploymentPorts,
): Controller<MachineDeployment, ObservedDeployment, DeploymentEffect> {
  const sets = new Sets();
  return controller({
    name: "machine-deployment",
    kind: MachineDeployment,
    finalizer: MACHINE_DEPLOYMENT_FINALIZER,
    settle: () => SETTLE,
    reads: [
      on(MachineDeployment),
      on(MachineSet, ({ object }, reader) => sets.keysOf(object, reader)),
      on(Machine, ({ object }, reader) => sets.keysOfMachine(object, reader)),
      on(Cluster, ({ type, key, object, old }, reader) => {
        if (type === "update" && equal(old?.spec, object.spec)) return [];
        return sets.deploymentsOf(key, reader).map(keyOf);
      }),
    ],
    writes: [
      writing(MachineDeployment, "status", "metadata.finalizers", "cluster label, owner and revision"),
      writing(
        MachineSet,
        "creation and deletion by a MachineDeployment",
        "spec of a MachineDeployment's",
        "owner of a MachineDeployment's",
      ),
    ],
    observe: (reader, _key, deployment) => observe(reader, deployment, sets),
    decide: decideDeployment,
    act: (effect, acting) => act(effect, acting, ports),
  });
}

function observe(reader: Reader, deployment: MachineDeployment | undefined, sets: Sets): ObservedDeployment | undefined {
  if (deployment?.spec === undefined) return undefined;
  const cluster = reader.of(Cluster).get(clusterKeyOf(deployment));
  const own = sets.setsOf(deployment, reader);
  const machines = new Map(own.map((set) => [set.metadata.uid ?? "", sets.machinesOf(set, reader)]));
  return { deployment, cluster, paused: pauseOf(cluster, deployment), sets: own, machines };
}
