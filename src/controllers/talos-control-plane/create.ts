/** Makes a Machine with its infrastructure and its configuration, all under one name, so that trying again finds what is there already. */
import type { NewMachine } from "#decide/talos-control-plane/machine.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { specUp } from "#kinds/bootstrap/v1alpha3/talos-config.ts";
import { CLONED_FROM_GROUP_KIND, CLONED_FROM_NAME } from "#kinds/cluster/keys.ts";
import type { MachineSpec } from "#kinds/cluster/v1beta2/machine-spec.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { ContractKinds } from "#kube/contract.ts";
import { pluralOf } from "#kube/contract.ts";
import type { Acting } from "#kube/controller.ts";
import type { KindRef } from "#kube/kind.ts";
import { isAlreadyExists } from "#kube/status.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { JsonObject } from "#std/json.ts";
import { isObject } from "#std/json.ts";
import type { Plane } from "./plane.ts";
import { ownerOf } from "./plane.ts";

/** Faults carry `step`: which of the three could not be made. */
export async function create(plane: Plane, machine: NewMachine, kinds: ContractKinds, acting: Acting): Promise<void> {
  const infrastructure = await step("InfrastructureTemplateCloningFailed", () => clone(plane, machine, kinds, acting));
  await step("BootstrapTemplateCloningFailed", () => configure(plane, machine, acting));
  await step("MachineGenerationFailed", () => make(plane, machine, infrastructure, acting));
}

/** The reason of upstream's condition MachinesCreated goes along. */
async function step<T>(reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message, fault, retry, facts } = Fault.from(error);
    throw new Fault(code, message, {
      fault,
      retry: retry === "never" ? "later" : retry,
      facts: { ...facts, step: reason },
      cause: error,
    });
  }
}

async function clone(plane: Plane, machine: NewMachine, kinds: ContractKinds, { client, signal }: Acting): Promise<KindRef> {
  const { group, kind, name } = machine.template;
  const { namespace } = plane;
  const templateKind = await kinds.of({ apiGroup: group, kind }, { signal });
  const { spec } = await client.for(templateKind).in(namespace).get(name, { signal });
  const template = isObject(spec) && isObject(spec["template"]) ? spec["template"] : {};
  const { metadata, ...body } = template;
  const given = (field: "labels" | "annotations"): Record<string, string> =>
    isObject(metadata) && isObject(metadata[field]) ? (metadata[field] as Record<string, string>) : {};
  const made = kind.replace(/Template$/, "");
  const infrastructure: KindRef = { ...templateKind, kind: made, plural: pluralOf(made) };
  const meta: ObjectMeta = {
    ...metadataOf(plane, machine),
    labels: { ...given("labels"), ...machine.labels },
    annotations: {
      ...given("annotations"),
      ...kept(machine.annotations),
      [CLONED_FROM_NAME]: name,
      [CLONED_FROM_GROUP_KIND]: `${kind}.${group}`,
    },
    ownerReferences: [ownerOf(plane)],
  };
  await ensure(client.for(infrastructure).in(namespace), { ...body, metadata: meta }, plane, signal);
  return infrastructure;
}

async function configure(plane: Plane, machine: NewMachine, { client, signal }: Acting): Promise<void> {
  const metadata = { ...metadataOf(plane, machine), annotations: kept(machine.annotations), ownerReferences: [ownerOf(plane)] };
  await ensure(client.for(TalosConfig).in(plane.namespace), { metadata, spec: specUp(machine.config.reveal()) }, plane, signal);
}

async function make(plane: Plane, machine: NewMachine, infrastructure: KindRef, { client, signal }: Acting): Promise<void> {
  const { name, version, failureDomain } = machine;
  const spec = {
    clusterName: plane.cluster,
    version,
    bootstrap: { configRef: { apiGroup: TalosConfig.group, kind: TalosConfig.kind, name } },
    infrastructureRef: { apiGroup: infrastructure.group, kind: infrastructure.kind, name },
    ...(failureDomain !== undefined && { failureDomain }),
    ...machine.spec,
  } as MachineSpec;
  const metadata = {
    ...metadataOf(plane, machine),
    annotations: { ...machine.annotations },
    ownerReferences: [{ ...ownerOf(plane), controller: true }],
  };
  await ensure(client.for(Machine).in(plane.namespace), { metadata, spec }, plane, signal);
}

function metadataOf({ namespace }: Plane, { name, labels }: NewMachine): ObjectMeta {
  return { name, namespace, labels: { ...labels } };
}

/** Hooks are the Machine's alone. */
function kept(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !/^pre-(drain|terminate)\.delete\.hook\./.test(key)));
}

interface Creator {
  create(object: JsonObject, options: object): Promise<unknown>;
  get(name: string, options: object): Promise<KubeObject>;
}

/** Makes an object, unless it is there: then it must be this control plane's, or its Machine's by now. */
async function ensure(resource: object, draft: object, { cluster }: Plane, signal: AbortSignal): Promise<void> {
  const creator = resource as Creator;
  try {
    await creator.create(draft as JsonObject, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { name = "", labels = {} } = (draft as KubeObject).metadata;
    const present = await creator.get(name, { signal });
    const isOurs = Object.entries(labels).every(([key, value]) => present.metadata.labels?.[key] === value);
    if (isOurs) return;
    const message = `${present.kind} ${name} is there already, and not of cluster ${cluster}`;
    throw new Fault("talos.name-taken", message, { fault: "world", retry: "later", cause: error });
  }
}
