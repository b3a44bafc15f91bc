/** MachineHealthCheck: says which machines are unhealthy; their owners, or whoever its template is for, do something about it. */
import { decideHealthCheck, type HealthCheckEffect } from "#decide/machine-health-check/decide.ts";
import type { ObservedHealthCheck } from "#decide/machine-health-check/observed.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { ContractKinds } from "#kube/contract.ts";
import { type Controller, controller, on, REFERENCED, writing } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { equal } from "#std/json.ts";
import { act } from "./act.ts";
import { type HealthPorts, observeHealthCheck, Patients } from "./observe.ts";

/** Milliseconds in which the changes of many machines and Nodes become one look. */
const SETTLE = 100;

/** One per runtime: it indexes the caches of that runtime. */
export function createHealthCheckController(
  ports: HealthPorts & { readonly kinds: ContractKinds },
): Controller<MachineHealthCheck, ObservedHealthCheck, HealthCheckEffect> {
  const patients = new Patients();
  return controller({
    name: "machine-health-check",
    kind: MachineHealthCheck,
    settle: () => SETTLE,
    reads: [
      on(MachineHealthCheck),
      on(Machine, ({ object, old }, reader) => [
        ...patients.keysOfMachine(object, reader),
        ...(old === undefined ? [] : patients.keysOfMachine(old, reader)),
      ]),
      on(Cluster, ({ type, key, object, old }, reader) => {
        const seen = ({ spec, status }: Cluster) => [
          spec?.paused ?? false,
          status?.initialization ?? {},
          status?.conditions ?? [],
        ];
        return type === "update" && old !== undefined && equal(seen(old), seen(object)) ? [] : patients.keysOf(key, reader);
      }),
    ],
    writes: [
      writing(MachineHealthCheck, "status", "cluster label and owner"),
      writing(
        Machine,
        "status.conditions.HealthCheckSucceeded",
        "status.conditions.ExternallyRemediated",
        "OwnerRemediated until its owner takes it up",
      ),
      writing(REFERENCED, "requests for remediation"),
    ],
    listen(wake, reader) {
      const ends = [
        ports.workloads.onChange(({ namespace, name }) => {
          for (const key of patients.keysOf(`${namespace}/${name}`, reader)) wake(key);
        }),
        ports.externals.onChange((kind) => {
          for (const check of reader.of(MachineHealthCheck).values()) if (asks(check, kind)) wake(keyOf(check));
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    observe: (reader, _key, check) => observeHealthCheck(reader, check, patients, ports),
    decide: decideHealthCheck,
    act: (effect, acting) => act(effect, acting, ports.kinds),
  });
}

/** Whether requests of this kind (`Kind.group`) are how it has machines remedied. */
function asks({ spec }: MachineHealthCheck, kind: string): boolean {
  const template = spec?.remediation?.templateRef;
  return template !== undefined && `${template.kind.replace(/Template$/, "")}.${template.apiVersion.split("/")[0]}` === kind;
}
