import { cloneOf } from "#decide/clone.ts";
import type { HealthCheckEffect } from "#decide/machine-health-check/decide.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { ContractKinds } from "#kube/contract.ts";
import type { Acting } from "#kube/controller.ts";
import { isAlreadyExists, isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { requestOf } from "./observe.ts";

/** One effect; each is harmless when it has already happened. */
export async function act(effect: HealthCheckEffect, { client, events, signal }: Acting, kinds: ContractKinds): Promise<void> {
  switch (effect.do) {
    case "mark-check": {
      const { namespace = "", name = "" } = effect.check.metadata;
      await client.for(MachineHealthCheck).in(namespace).patch(name, { metadata: effect.metadata }, { signal });
      return;
    }
    case "tell": {
      const { namespace = "", name = "", resourceVersion = "" } = effect.machine.metadata;
      const patch = { metadata: { resourceVersion }, status: { conditions: effect.conditions.map((each) => ({ ...each })) } };
      await client.for(Machine).in(namespace).patch(name, patch, { signal, subresource: "status" });
      return;
    }
    case "request": {
      const { template, machine, cluster } = effect;
      const { namespace = "", name = "", uid = "" } = machine.metadata;
      const templateKind = await kinds.ofObject(template as unknown as KubeObject, { signal });
      const source = await client
        .for<KubeObject>(templateKind)
        .in(namespace)
        .get(template.name, { signal })
        .catch(missing(template.name));
      const owner = { apiVersion: machine.apiVersion, kind: machine.kind, name, uid };
      const request = cloneOf(source, { name, namespace, clusterName: cluster, owner });
      try {
        await client.for<KubeObject>(await kinds.ofObject(request, { signal })).create(request, { signal });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      return;
    }
    case "withdraw": {
      const { namespace = "" } = effect.machine.metadata;
      const reference = requestOf(effect.template, effect.machine);
      try {
        await client
          .for(await kinds.of(reference, { signal }))
          .in(namespace)
          .delete(reference.name, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return;
    }
    case "warn":
      events.record(effect.check, { type: "Warning", reason: "RemediationRestricted", message: effect.message });
  }
}

function missing(name: string): (error: unknown) => never {
  return (error) => {
    if (!isNotFound(error)) throw error;
    throw new Fault("health-check.no-template", `the remediation template ${name} does not exist`, {
      fault: "world",
      retry: "later",
    });
  };
}
