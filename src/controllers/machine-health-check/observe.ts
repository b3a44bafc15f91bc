import type { ObservedHealthCheck, RemediationRequest, Target } from "#decide/machine-health-check/observed.ts";
import { hasAnnotation } from "#decide/machines/machine.ts";
import { pauseOf } from "#decide/machines/pause.ts";
import { PAUSED, SKIP_REMEDIATION } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { RemediationTemplateReference } from "#kinds/cluster/v1beta2/health-check.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { Index } from "#kube/cache.ts";
import type { ContractReference } from "#kube/contract.ts";
import type { Reader } from "#kube/controller.ts";
import type { Externals } from "#kube/externals.ts";
import { keyOf } from "#kube/kind.ts";
import type { Workloads, WorkloadNode } from "#kube/workload.ts";
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { compileSelector } from "#schema/selector.ts";

export interface HealthPorts {
  readonly workloads: Workloads;
  readonly externals: Externals;
}

interface OfCluster extends KubeObject {
  spec?: { clusterName: string };
}

function clusterKeyOf({ metadata, spec }: OfCluster): string {
  return `${metadata.namespace ?? ""}/${spec?.clusterName ?? ""}`;
}

/** Checks and machines of clusters, found by index. One for each runtime. */
export class Patients {
  #checks: Index<MachineHealthCheck> | undefined;
  #machines: Index<Machine> | undefined;

  keysOf(cluster: string, reader: Reader): string[] {
    this.#checks ??= reader.of(MachineHealthCheck).index((check) => [clusterKeyOf(check)]);
    return this.#checks.get(cluster).map(keyOf);
  }

  /** Keys of the checks that look after the machine. */
  keysOfMachine(machine: Machine, reader: Reader): string[] {
    const keys = this.keysOf(clusterKeyOf(machine), reader);
    return keys.filter((key) => {
      const check = reader.of(MachineHealthCheck).get(key);
      return check !== undefined && chooses(check, machine);
    });
  }

  machinesOf(check: MachineHealthCheck, reader: Reader): Machine[] {
    this.#machines ??= reader.of(Machine).index((machine) => [clusterKeyOf(machine)]);
    return this.#machines.get(clusterKeyOf(check)).filter((machine) => chooses(check, machine));
  }
}

function chooses({ spec }: MachineHealthCheck, { metadata }: Machine): boolean {
  const selector = compileSelector(spec?.selector ?? {});
  return !selector.isEmpty && selector.matches(metadata.labels ?? {});
}

export function observeHealthCheck(
  reader: Reader,
  check: MachineHealthCheck | undefined,
  patients: Patients,
  { workloads, externals }: HealthPorts,
): ObservedHealthCheck | undefined {
  if (check?.spec === undefined) return undefined;
  const cluster = reader.of(Cluster).get(clusterKeyOf(check));
  const { namespace = "" } = check.metadata;
  const sight = cluster && workloads.sight({ namespace, name: check.spec.clusterName });
  const nodes = new Map((sight?.nodes ?? []).map((node) => [node.metadata.name ?? "", node]));
  const machines = patients.machinesOf(check, reader).filter((machine) => !isLeftAlone(machine));
  const template = check.spec.remediation?.templateRef;
  return {
    check,
    cluster,
    paused: pauseOf(cluster, check),
    targets: machines.map((machine) => targetOf(machine, nodes, template, externals)),
    seesNodes: sight?.nodes !== undefined && sight.problem === undefined,
  };
}

function isLeftAlone(machine: Machine): boolean {
  return hasAnnotation(machine, SKIP_REMEDIATION) || hasAnnotation(machine, PAUSED);
}

function targetOf(
  machine: Machine,
  nodes: ReadonlyMap<string, WorkloadNode>,
  template: RemediationTemplateReference | undefined,
  externals: Externals,
): Target {
  const node = nodes.get(machine.status?.nodeRef?.name ?? "");
  const request = template && lookFor(requestOf(template, machine), machine.metadata.namespace ?? "", externals);
  return { machine, node: node && { conditions: node.status?.conditions ?? [] }, request };
}

/** Named like the machine, of the template's kind without Template. */
export function requestOf({ apiVersion, kind }: RemediationTemplateReference, machine: Machine): ContractReference {
  const apiGroup = parseApiVersion(apiVersion)?.group ?? "";
  return { apiGroup, kind: kind.replace(/Template$/, ""), name: machine.metadata.name ?? "" };
}

function lookFor(reference: ContractReference, namespace: string, externals: Externals): RemediationRequest {
  const { is } = externals.look(reference, namespace);
  return is === "there" || is === "missing" ? is : "unknown";
}
