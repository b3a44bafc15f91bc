/** The objects that a Cluster's topology stands for (§1.9). */
import { groupKindOf, CLONED_FROM_GROUP_KIND, CLONED_FROM_NAME } from "../clone.ts";
import { CLUSTER_NAME, CONTROL_PLANE, TOPOLOGY_DEPLOYMENT_NAME, TOPOLOGY_OWNED } from "#kinds/cluster/keys.ts";
import type { ClusterClass, MachineDeploymentClass, TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { MachineDeploymentTopology } from "#kinds/cluster/v1beta2/topology.ts";
import { present } from "#schema/conversion.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { clone, equal, isObject, type Json, type JsonObject } from "#std/json.ts";
import { ownedBy } from "../cluster/owner.ts";
import { nameFor, suffixFor } from "./names.ts";
import { machineTemplateOf, type ObservedTopology, templateId, type TemplateName } from "./observed.ts";
import { type ApplyJsonPatch, patched, type Role } from "./patch.ts";
import { planVersions, type Versions } from "./upgrade.ts";
import { overridden, resolveVariables } from "./variables.ts";

type Texts = Readonly<Record<string, string>>;
type ClassSpec = NonNullable<ClusterClass["spec"]>;

export interface Desired {
  readonly infrastructure: KubeObject;
  readonly controlPlane: KubeObject;
  /** Made once under a name that follows from their content, never changed. */
  readonly templates: readonly KubeObject[];
  readonly deployments: readonly KubeObject[];
  readonly checks: readonly KubeObject[];
  readonly versions: Versions;
}

/** Throws Fault `topology.*` that says what is wrong with class or topology. */
export function desiredOf(observed: ObservedTopology, apply: ApplyJsonPatch): Desired {
  return new Blueprint(observed, apply).build();
}

export function refusal(message: string): Fault {
  return new Fault("topology.refused", message, { fault: "caller", retry: "never" });
}

class Blueprint {
  readonly #observed: ObservedTopology;
  readonly #apply: ApplyJsonPatch;
  readonly #cluster: Cluster;
  readonly #class: ClassSpec;
  readonly #templates = new Map<string, KubeObject>();

  constructor(observed: ObservedTopology, apply: ApplyJsonPatch) {
    if (observed.clusterClass?.spec === undefined) throw refusal("the ClusterClass does not exist");
    [this.#observed, this.#apply, this.#cluster, this.#class] = [observed, apply, observed.cluster, observed.clusterClass.spec];
  }

  build(): Desired {
    const { controlPlane, deployments } = this.#observed;
    const topology = this.#cluster.spec!.topology!;
    if ((topology.workers?.machinePools ?? []).length > 0) throw refusal("machine pools are not supported");
    const versions = planVersions(this.#cluster, controlPlane, deployments);
    const infrastructure = this.#infrastructure();
    const plane = this.#controlPlane(versions);
    const workers = (topology.workers?.machineDeployments ?? []).map((each) => this.#workers(each, versions));
    return {
      infrastructure,
      controlPlane: plane,
      templates: [...this.#templates.values()],
      deployments: workers.map(({ deployment }) => deployment),
      checks: [...this.#planeCheck(plane), ...workers.flatMap(({ check }) => check)],
      versions,
    };
  }

  get #name(): string {
    return this.#cluster.metadata.name ?? "";
  }

  #values(builtin: JsonObject, overrides?: Parameters<typeof overridden>[1]): JsonObject {
    const topology = this.#cluster.spec!.topology!;
    const { values, problems } = resolveVariables(this.#class.variables ?? [], overridden(topology.variables ?? [], overrides));
    if (problems.length > 0) throw refusal(problems.join("; "));
    return { ...values, builtin: { cluster: this.#builtinCluster(), ...builtin } };
  }

  #builtinCluster(): JsonObject {
    const { metadata, spec } = this.#cluster;
    const { services, pods, serviceDomain } = spec?.clusterNetwork ?? {};
    const { version, classRef } = spec!.topology!;
    const { namespace = "", uid = "" } = metadata;
    return {
      name: this.#name,
      namespace,
      uid,
      metadata: { labels: { ...metadata.labels }, annotations: { ...metadata.annotations } },
      topology: { version, class: classRef.name, classRef: { name: classRef.name, namespace: classRef.namespace ?? namespace } },
      network: present({
        serviceDomain,
        services: services && [...services.cidrBlocks],
        pods: pods && [...pods.cidrBlocks],
      }) as JsonObject,
    };
  }

  /** The template with its patches; `spec.template` is what an object is made from. */
  #template(reference: TemplateReference, role: Role, values: JsonObject): KubeObject {
    const template = this.#observed.templates.get(templateId(reference));
    if (template === undefined) throw refusal(`${reference.kind} ${reference.name} of the ClusterClass does not exist`);
    return patched(template, reference, role, values, { patches: this.#class.patches ?? [], apply: this.#apply });
  }

  #metadata(
    name: string,
    source: TemplateReference,
    labels: Texts,
    annotations: Texts = {},
    owner?: OwnerReference,
  ): KubeObject["metadata"] {
    const { namespace = "" } = this.#cluster.metadata;
    const from = { [CLONED_FROM_NAME]: source.name, [CLONED_FROM_GROUP_KIND]: groupKindOf(source) };
    return {
      name,
      namespace,
      labels: { ...labels, [CLUSTER_NAME]: this.#name, [TOPOLOGY_OWNED]: "" },
      annotations: { ...annotations, ...from },
      ownerReferences: [owner ?? { ...ownedBy(this.#cluster, false) }],
    };
  }

  /**
   * A template of the cluster's own, which is another object when it says something else. The one that machines are made from now (`used`) is kept as long as it says
   * the same as it is read now: a new default of its kind makes no other machines.
   */
  #copy(template: KubeObject, base: string, source: TemplateReference, labels: Texts, used: string | undefined): TemplateName {
    const spec = template["spec"] as JsonObject;
    const kept = this.#observed.made.find(
      (each) => each.kind === template.kind && each.metadata.name === used && equal(each["spec"], spec),
    );
    const name = kept?.metadata.name ?? nameFor(undefined, base, {}, suffixFor(`${template.kind}${canonical(spec)}`));
    const { apiVersion, kind } = template;
    this.#templates.set(templateId({ kind, name }), { apiVersion, kind, metadata: this.#metadata(name, source, labels), spec });
    return { apiGroup: parseApiVersion(apiVersion)?.group ?? "", kind, name };
  }

  #infrastructure(): KubeObject {
    const { templateRef, naming } = this.#class.infrastructure;
    const template = this.#template(templateRef, { is: "infrastructureCluster" }, this.#values({}));
    const made = innerOf(template);
    const name = this.#cluster.spec?.infrastructureRef?.name ?? this.#named(naming?.template, this.#name);
    const metadata = this.#metadata(name, templateRef, labelsOf(made), annotationsOf(made), ownedBy(this.#cluster, true));
    return { ...objectFrom(template), metadata, spec: specOf(made) };
  }

  #named(template: string | undefined, base: string, values: Texts = {}): string {
    const suffix = suffixFor(`${this.#cluster.metadata.uid ?? ""}/${base}`);
    return nameFor(template, base, { "cluster.name": this.#name, ...values }, suffix);
  }

  #controlPlane({ controlPlane: version }: Versions): KubeObject {
    const topology = this.#cluster.spec!.topology!.controlPlane;
    const { templateRef, machineInfrastructure, naming, ...sort } = this.#class.controlPlane;
    const name = this.#cluster.spec?.controlPlaneRef?.name ?? this.#named(naming?.template, this.#name);
    const replicas = topology?.replicas;
    const builtin = present({ version, name, replicas }) as JsonObject;
    const values = this.#values({ controlPlane: builtin }, topology?.variables?.overrides);
    const made = innerOf(this.#template(templateRef, { is: "controlPlane" }, values));
    const labels = { ...sort.metadata?.labels, ...topology?.metadata?.labels };
    const annotations = { ...sort.metadata?.annotations, ...topology?.metadata?.annotations };
    const infrastructureRef =
      machineInfrastructure &&
      this.#copy(
        this.#template(machineInfrastructure.templateRef, { is: "controlPlane" }, values),
        `${this.#name}-control-plane`,
        machineInfrastructure.templateRef,
        {},
        machineTemplateOf(this.#observed.controlPlane)?.name,
      );
    const machines = present({
      infrastructureRef,
      deletion: topology?.deletion ?? sort.deletion,
      taints: topology?.taints ?? sort.taints,
      readinessGates: topology?.readinessGates ?? sort.readinessGates,
    }) as JsonObject;
    const owned = { ...labels, [CLUSTER_NAME]: this.#name, [TOPOLOGY_OWNED]: "" };
    const spec = merged(specOf(made), {
      version,
      ...(replicas === undefined ? {} : { replicas }),
      ...(topology?.rollout?.after === undefined ? {} : { rollout: { after: topology.rollout.after } }),
      ...(infrastructureRef === undefined
        ? {}
        : { machineTemplate: { metadata: { labels: owned, annotations }, spec: machines } }),
    });
    const template = this.#observed.templates.get(templateId(templateRef))!;
    const metadata = this.#metadata(
      name,
      templateRef,
      { ...labelsOf(made), ...labels },
      { ...annotationsOf(made), ...annotations },
      ownedBy(this.#cluster, true),
    );
    return { ...objectFrom(template), metadata, spec };
  }

  #workers(topology: MachineDeploymentTopology, { workers }: Versions): { deployment: KubeObject; check: KubeObject[] } {
    const sort = this.#class.workers?.machineDeployments?.find((each) => each.class === topology.class);
    if (sort === undefined) throw refusal(`the ClusterClass has no workers of class ${topology.class}`);
    const current = this.#observed.deployments.find(
      ({ metadata }) => metadata.labels?.[TOPOLOGY_DEPLOYMENT_NAME] === topology.name,
    );
    const base = `${this.#name}-${topology.name}`;
    const name =
      current?.metadata.name ?? this.#named(sort.naming?.template, base, { "machineDeployment.topologyName": topology.name });
    const version = workers.get(topology.name) ?? "";
    const { replicas } = topology;
    const builtin = present({ version, class: topology.class, name, topologyName: topology.name, replicas }) as JsonObject;
    const values = this.#values({ machineDeployment: builtin }, topology.variables?.overrides);
    const role = { is: "machineDeploymentClass", class: topology.class } as const;
    const mark = { [TOPOLOGY_DEPLOYMENT_NAME]: topology.name };
    const made = current?.spec?.template.spec;
    const sources = [
      [sort.bootstrap, made?.bootstrap.configRef?.name],
      [sort.infrastructure, made?.infrastructureRef.name],
    ] as const;
    const copies = sources.map(([{ templateRef }, now]) =>
      this.#copy(this.#template(templateRef, role, values), base, templateRef, mark, now),
    );
    const identity = { [CLUSTER_NAME]: this.#name, [TOPOLOGY_OWNED]: "", ...mark };
    const labels = { ...sort.metadata?.labels, ...topology.metadata?.labels };
    const annotations = { ...sort.metadata?.annotations, ...topology.metadata?.annotations };
    const { order, ...timeouts } = { ...sort.deletion, ...topology.deletion };
    const machine = present({
      clusterName: this.#name,
      version,
      bootstrap: { configRef: copies[0]! },
      infrastructureRef: copies[1]!,
      failureDomain: topology.failureDomain ?? sort.failureDomain,
      minReadySeconds: topology.minReadySeconds ?? sort.minReadySeconds,
      readinessGates: topology.readinessGates ?? sort.readinessGates,
      taints: topology.taints ?? sort.taints,
      deletion: Object.keys(timeouts).length === 0 ? undefined : timeouts,
    });
    const maxInFlight = topology.healthCheck?.remediation?.maxInFlight ?? sort.healthCheck?.remediation?.maxInFlight;
    const rollout = present({ after: topology.rollout?.after, strategy: topology.rollout?.strategy ?? sort.rollout?.strategy });
    const spec = present({
      clusterName: this.#name,
      replicas,
      selector: { matchLabels: identity },
      template: { metadata: { labels: { ...labels, ...identity }, annotations }, spec: machine },
      rollout: Object.keys(rollout).length === 0 ? undefined : rollout,
      remediation: maxInFlight === undefined ? undefined : { maxInFlight },
      deletion: order === undefined ? undefined : { order },
    }) as unknown as JsonObject;
    const { namespace = "" } = this.#cluster.metadata;
    const metadata = { name, namespace, labels: { ...labels, ...identity }, annotations, ownerReferences: [this.#plainOwner()] };
    return {
      deployment: { apiVersion: MachineDeployment.apiVersion, kind: "MachineDeployment", metadata, spec },
      check: this.#check(name, identity, topology, sort),
    };
  }

  /** As the controllers of these kinds write it. */
  #plainOwner(): OwnerReference {
    const { apiVersion, kind, metadata } = this.#cluster;
    return { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "" };
  }

  #check(
    name: string,
    matchLabels: Texts,
    topology: Pick<MachineDeploymentTopology, "healthCheck">,
    sort: Pick<MachineDeploymentClass, "healthCheck">,
  ): KubeObject[] {
    const { enabled = sort.healthCheck !== undefined, ...own } = topology.healthCheck ?? {};
    if (!enabled) return [];
    // A topology that says anything says all.
    const { checks, remediation } = own.checks === undefined && own.remediation === undefined ? (sort.healthCheck ?? {}) : own;
    const { maxInFlight: _limit, ...rest } = (remediation ?? {}) as { maxInFlight?: unknown };
    const spec = present({
      clusterName: this.#name,
      selector: { matchLabels: { ...matchLabels } },
      checks,
      remediation: Object.keys(rest).length === 0 ? undefined : rest,
    }) as unknown as JsonObject;
    const { namespace = "" } = this.#cluster.metadata;
    const labels = { [CLUSTER_NAME]: this.#name, [TOPOLOGY_OWNED]: "" };
    const metadata = { name, namespace, labels, ownerReferences: [this.#plainOwner()] };
    return [{ apiVersion: MachineHealthCheck.apiVersion, kind: "MachineHealthCheck", metadata, spec }];
  }

  #planeCheck({ metadata }: KubeObject): KubeObject[] {
    const labels = { [CLUSTER_NAME]: this.#name, [CONTROL_PLANE]: "" };
    return this.#check(metadata.name ?? "", labels, this.#cluster.spec!.topology!.controlPlane ?? {}, this.#class.controlPlane);
  }
}

function innerOf({ kind, metadata, ...rest }: KubeObject): JsonObject {
  const spec = rest["spec"];
  const inner = isObject(spec) ? spec["template"] : undefined;
  if (!isObject(inner)) throw refusal(`${kind} ${metadata.name} has no spec.template`);
  return inner;
}

function objectFrom({ apiVersion, kind }: KubeObject): { apiVersion: string; kind: string } {
  return { apiVersion, kind: kind.replace(/Template$/, "") };
}

function specOf(made: JsonObject): JsonObject {
  return isObject(made["spec"]) ? clone(made["spec"]) : {};
}
function labelsOf(made: JsonObject): Texts {
  return textsOf(made, "labels");
}
function annotationsOf(made: JsonObject): Texts {
  return textsOf(made, "annotations");
}
function textsOf({ metadata }: JsonObject, field: string): Texts {
  const texts = isObject(metadata) ? metadata[field] : undefined;
  return isObject(texts) ? (texts as Record<string, string>) : {};
}

function merged(a: JsonObject, b: JsonObject): JsonObject {
  const result: JsonObject = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const mine = result[key];
    result[key] = isObject(mine) && isObject(value) ? merged(mine, value) : value;
  }
  return result;
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).toSorted();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${canonical(value[field]!)}`).join(",")}}`;
}
