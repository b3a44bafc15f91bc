/** Machine under Cluster API v1alpha2: its Cluster is a label, and its configuration may stand in it. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalidUnshown, required } from "#schema/field.ts";
import type { AdmissionContext, Resource } from "#schema/kind.ts";
import { kind } from "#schema/kind.ts";
import { array, boolean, dateTime, json, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { ObjectReference } from "../../reference.ts";
import { prefixVersion, specOf } from "../defaulting.ts";
import { CLUSTER_NAME } from "../keys.ts";
import { referenceDown, referenceUp } from "../v1beta1/reference.ts";
import { oneOf, said, some } from "../v1beta1/some.ts";
import { ageColumn, machine, MACHINE_PHASES, MachineAddress } from "../v1beta2/machine.ts";
import type { Machine as Hub, MachinePhase } from "../v1beta2/machine.ts";

const MachineSpec = object({
  metadata: json().doc("Not used."),
  clusterName: string().doc("Not of v1alpha2: taken from the label cluster.x-k8s.io/cluster-name."),
  bootstrap: object({
    configRef: ObjectReference.doc("The object from which a bootstrap provider makes the machine's configuration."),
    data: string().doc("The configuration itself, in base64. It holds secrets, and is kept in a Secret as well."),
    dataSecretName: string().doc("Not of v1alpha2: Name of the Secret that has the configuration."),
  })
    .required()
    .doc("Where its configuration comes from."),
  infrastructureRef: ObjectReference.required().doc("The object that stands for the machine itself."),
  version: string().doc("Kubernetes version."),
  providerID: string().doc("The machine as its infrastructure provider names it."),
});

const MachineStatus = object({
  nodeRef: ObjectReference.doc("Its Node in the workload cluster."),
  lastUpdated: dateTime().doc("When the phase last changed."),
  version: string().doc("Kubernetes version. Not set by Sidero."),
  errorReason: string().doc("What cannot be mended without help, as one word."),
  errorMessage: string().doc("What cannot be mended without help, as a sentence."),
  addresses: array(MachineAddress).atomic().doc("Addresses of the machine."),
  phase: string().doc("Where it stands, as one word."),
  bootstrapReady: boolean().doc("Its configuration is there."),
  infrastructureReady: boolean().doc("The machine is there."),
});

/** The Secret that a configuration given in the Machine is kept in. */
export function inlineSecretName(machineName: string): string {
  return `${machineName}-bootstrap-data`;
}

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  if (spec === undefined) return;
  prefixVersion(spec);
  const cluster = object.metadata.labels?.[CLUSTER_NAME];
  if (cluster !== undefined) spec["clusterName"] = cluster;
  const { bootstrap } = spec;
  if (isObject(bootstrap) && bootstrap["data"] !== undefined)
    bootstrap["dataSecretName"] ??= inlineSecretName(object.metadata.name ?? "");
}

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

function validate(object: KubeObject, old: KubeObject | undefined, _context: AdmissionContext): FieldError[] {
  const errors = machine.validate(object, old);
  const spec = specOf(object) as JsonObject;
  if (said(spec["clusterName"] as string | undefined) === undefined)
    errors.push(required(FieldPath.of("metadata", "labels").key(CLUSTER_NAME), "a Machine belongs to a Cluster"));
  const data = isObject(spec["bootstrap"]) ? spec["bootstrap"]["data"] : undefined;
  if (typeof data === "string" && !BASE64.test(data))
    errors.push(invalidUnshown(FieldPath.of("spec", "bootstrap", "data"), "must be base64"));
  return errors;
}

export const Machine = kind({
  ...machine,
  version: "v1alpha2",
  default: defaults,
  validate,
  columns: [
    { name: "ProviderID", type: "string", description: "The machine's name at its provider", jsonPath: ".spec.providerID" },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    ageColumn,
  ],
  spec: MachineSpec.doc("What is wanted."),
  status: MachineStatus.doc("What is the case."),
});
export type Machine = Resource<typeof Machine>;

type Spec = NonNullable<Machine["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<Machine["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function specUp({ clusterName = "", bootstrap, infrastructureRef, version, providerID }: Spec): HubSpec {
  return present({
    clusterName,
    bootstrap: present({
      configRef: bootstrap.configRef && referenceUp(bootstrap.configRef),
      dataSecretName: bootstrap.dataSecretName,
    }),
    infrastructureRef: referenceUp(infrastructureRef),
    version: said(version),
    providerID: said(providerID),
  });
}

function specDown({ clusterName, bootstrap, infrastructureRef, version, providerID }: HubSpec): Spec {
  return present({
    clusterName: said(clusterName),
    bootstrap: present({
      configRef: bootstrap.configRef && referenceDown(bootstrap.configRef),
      dataSecretName: bootstrap.dataSecretName,
    }),
    infrastructureRef: referenceDown(infrastructureRef),
    version,
    providerID,
  });
}

function statusUp(status: Status): HubStatus {
  const { nodeRef, lastUpdated, errorReason, errorMessage, addresses, phase, bootstrapReady, infrastructureReady } = status;
  const v1beta1 = some(present({ failureReason: errorReason, failureMessage: errorMessage }));
  return present({
    initialization: some(present({ infrastructureProvisioned: infrastructureReady, bootstrapDataSecretCreated: bootstrapReady })),
    nodeRef: said(nodeRef?.name) === undefined ? undefined : { name: nodeRef!.name! },
    lastUpdated,
    addresses,
    phase: oneOf<MachinePhase>(phase, MACHINE_PHASES),
    deprecated: v1beta1 && { v1beta1 },
  });
}

function statusDown({ initialization, nodeRef, lastUpdated, addresses, phase, deprecated }: HubStatus): Status {
  return present({
    nodeRef: nodeRef && { apiVersion: "v1", kind: "Node", name: nodeRef.name },
    lastUpdated,
    errorReason: deprecated?.v1beta1?.failureReason,
    errorMessage: deprecated?.v1beta1?.failureMessage,
    addresses,
    phase,
    bootstrapReady: initialization?.bootstrapDataSecretCreated,
    infrastructureReady: initialization?.infrastructureProvisioned,
  });
}

export const conversion = older<typeof Machine, typeof Hub>({
  kind: Machine,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
