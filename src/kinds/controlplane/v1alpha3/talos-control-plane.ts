/** The control plane of one cluster: its machines run Talos, etcd and the Kubernetes API. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int32, int64, intOrString, object, string } from "#schema/kit.ts";
import { TalosConfigSpec } from "../../bootstrap/v1alpha3/talos-config.ts";
import { prefixVersion, specOf } from "../../cluster/defaulting.ts";
import { Conditions } from "../../condition.ts";
import { ApiEndpoint } from "../../infrastructure/endpoint.ts";
import { ObjectReference } from "../../reference.ts";
import { MachineTemplate } from "./machine-template.ts";

/** Semver; the `v` that upstream's webhook adds is taken as said. */
const VERSION = "^v?(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$";

const ControlPlaneConfig = object({
  init: TalosConfigSpec.doc(
    "Configuration of the first machine, which then brings up etcd by itself. Not needed: without it the first machine that answers is told to.",
  ),
  controlplane: TalosConfigSpec.required().doc("Configuration of the machines. Another one replaces them, one at a time."),
});

const RollingUpdate = object({
  maxSurge: intOrString().doc(
    "How many machines there may be beyond replicas: 1 (the default) adds one before one goes, 0 needs no spare server, and one goes first.",
  ),
});

const InPlace = object({
  installer: string()
    .max(512)
    .doc(
      "Installer image of Talos, such as ghcr.io/siderolabs/installer:v1.13.4: machines that run another version are upgraded to it. Empty: Talos stays as it is.",
    ),
});

const RolloutStrategy = object({
  type: enumeration("RollingUpdate", "OnDelete", "InPlace").doc(
    "RollingUpdate (the default): machines that are not as wanted are replaced, one at a time. OnDelete: they are left until somebody deletes them. InPlace: another version is brought " +
      "to the machines as they run, one at a time, as replacing a server means wiping it; what cannot be changed so (another template, another configuration) replaces them as RollingUpdate does.",
  ),
  rollingUpdate: RollingUpdate.doc("How machines are replaced."),
  inPlace: InPlace.doc("How machines are upgraded in place."),
});

const Rollout = object({
  after: dateTime().doc("Machines that were made before are replaced once this time has come."),
});

/** What a template may say as well. */
export const templateFields = {
  controlPlaneConfig: ControlPlaneConfig.required().doc("Talos configuration of the machines."),
  rolloutStrategy: RolloutStrategy.doc("How machines become what is wanted."),
  rolloutAfter: dateTime().doc("As rollout.after (contract v1beta1)."),
  rollout: Rollout.doc("When machines are replaced although they are as wanted (contract v1beta2)."),
  machineTemplate: MachineTemplate.doc("What the Machines are made with."),
};

const TalosControlPlaneSpec = object({
  replicas: int32()
    .min(0)
    .default(1)
    .doc(
      "How many machines are wanted. An even number tolerates no more failures than one less. The last one only goes with all of it.",
    ),
  version: string().required().min(2).max(256).pattern(VERSION).doc("Version of Kubernetes, such as v1.34.1."),
  infrastructureTemplate: ObjectReference.doc("What the machines are made from: a MetalMachineTemplate."),
  controlPlaneEndpoint: ApiEndpoint.doc("Where the API server answers. Not used by Sidero: it is the Cluster's."),
  ...templateFields,
}).rule({
  cel: "has(self.infrastructureTemplate) || (has(self.machineTemplate) && (has(self.machineTemplate.infrastructureRef) || (has(self.machineTemplate.spec) && has(self.machineTemplate.spec.infrastructureRef))))",
  message: "infrastructureTemplate is required, unless machineTemplate names it",
  path: ".infrastructureTemplate",
  reason: "FieldValueRequired",
  check: ({ infrastructureTemplate, machineTemplate }) =>
    (infrastructureTemplate ?? machineTemplate?.infrastructureRef ?? machineTemplate?.spec?.infrastructureRef) !== undefined,
});

const Initialization = object({
  controlPlaneInitialized: boolean().doc("The API server has answered. Never taken back. Contract v1beta1 calls it initialized."),
})
  .min(1)
  .doc("How far the first set-up has come (contract v1beta2).");

const VersionCount = object({
  version: string().required().min(1).max(256).doc("Version of Kubernetes."),
  replicas: int32().required().min(0).doc("How many machines have it."),
});

const Bootstrap = object({
  machine: string()
    .required()
    .doc(
      "Name of the Machine that was, or is, told to bring up etcd. No other one ever is, unless this is gone without having done so.",
    ),
  uid: string().required().doc("Its uid."),
  at: dateTime().required().doc("When that was decided; the call comes after."),
});

const EtcdMember = object({
  id: string().required().doc("Id of the member, 16 hexadecimal digits."),
  hostname: string().required().doc("What it calls itself."),
  addresses: array(string()).atomic().doc("Hosts of its peer and client URLs."),
  machine: string().required().doc("Name of the Machine that it was seen on."),
  uid: string().required().doc("Uid of that Machine: when that is gone, the member may be removed."),
});

const Departed = object({
  machine: string().required().doc("Name of the Machine."),
  uid: string().required().doc("Its uid."),
  hostnames: array(string()).atomic().doc("What its Talos calls itself."),
  addresses: array(string()).atomic().doc("Where it was."),
});

const Creating = object({
  name: string().required().doc("Name of the Machine, its infrastructure and its TalosConfig."),
  failureDomain: string().doc("Where it is to be placed."),
  isInit: boolean().doc("It gets controlPlaneConfig.init."),
});

const Upgrading = object({
  machine: string().required().doc("Name of the Machine that is upgraded in place."),
  uid: string().required().doc("Its uid."),
  to: string().required().doc("What it is to come to: Kubernetes v1.34.1, kubelet v1.34.1, or an installer image."),
  since: dateTime().required().doc("Since when."),
  calledAt: dateTime().doc("When it was last told."),
  confirmed: boolean().doc("Its part of the control plane was seen to be of the version."),
});

const Waiting = object({
  reason: string().required().doc("Why it does not go on, as one word for programs, in CamelCase."),
  waitingFor: string().required().doc("What has to happen, as a phrase."),
  since: dateTime().required().doc("Since when."),
  next: string().doc("What comes then."),
  remedy: string().doc("What a person can do about it."),
});

const TalosControlPlaneStatus = object({
  selector: string().doc("Label selector of its Machines, for the scale subresource."),
  replicas: int32().doc("Machines there are."),
  readyReplicas: int32().doc("Of them, those whose Nodes are ready."),
  unavailableReplicas: int32().doc("Machines that are wanted but not ready (contract v1beta1)."),
  updatedReplicas: int32().doc("Machines that are as wanted (contract v1beta1)."),
  availableReplicas: int32().doc("Machines that can be relied on (contract v1beta2)."),
  upToDateReplicas: int32().doc("Machines that are as wanted (contract v1beta2)."),
  version: string().doc("The lowest version of Kubernetes of a Machine (contract v1beta1)."),
  versions: array(VersionCount).listMap("version").max(100).doc("Versions of the Machines, oldest first (contract v1beta2)."),
  initialized: boolean().doc("The API server has answered (contract v1beta1)."),
  initialization: Initialization,
  ready: boolean().doc("The API server can be used (contract v1beta1)."),
  bootstrapped: boolean().doc("A machine has been told to bring up etcd, or there is one."),
  bootstrap: Bootstrap.doc("Which machine brings up etcd."),
  etcd: array(EtcdMember).listMap("id").max(64).doc("Members of etcd, and the Machines they were seen on."),
  departed: array(Departed)
    .listMap("uid")
    .max(16)
    .doc("The Machines that went last: a member of etcd that has their name and address may be removed."),
  creating: Creating.doc("The Machine that is being made."),
  upgrading: Upgrading.doc("The Machine that is being upgraded in place."),
  waiting: Waiting.doc("What it waits for; absent: it is as wanted, or under way."),
  failureReason: string().doc("What cannot be mended without help, as one word (contract v1beta1)."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence (contract v1beta1)."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  conditions: Conditions.max(32).doc("Ready and Available, what they depend on, and what is under way."),
});
export type TalosControlPlaneStatus = TypeOf<typeof TalosControlPlaneStatus>;

export const TalosControlPlane = kind({
  group: "controlplane.cluster.x-k8s.io",
  version: "v1alpha3",
  kind: "TalosControlPlane",
  plural: "taloscontrolplanes",
  shortNames: ["tcp"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "The control plane of a cluster, on machines that run Talos.",
  default: (object) => {
    const spec = specOf(object);
    if (spec !== undefined) prefixVersion(spec);
  },
  columns: [
    { name: "Ready", type: "boolean", description: "The API server can be used", jsonPath: ".status.ready" },
    { name: "Initialized", type: "boolean", description: "The API server has answered", jsonPath: ".status.initialized" },
    { name: "Replicas", type: "integer", description: "Machines there are", jsonPath: ".status.replicas" },
    { name: "Ready Replicas", type: "integer", description: "Machines whose Nodes are ready", jsonPath: ".status.readyReplicas" },
    {
      name: "Unavailable Replicas",
      type: "integer",
      description: "Machines that are wanted but not ready",
      jsonPath: ".status.unavailableReplicas",
    },
    {
      name: "Waiting for",
      type: "string",
      description: "What it waits for",
      priority: 1,
      jsonPath: ".status.waiting.waitingFor",
    },
    {
      name: "Version",
      type: "string",
      description: "Version of Kubernetes that is wanted",
      priority: 1,
      jsonPath: ".spec.version",
    },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" },
  spec: TalosControlPlaneSpec.doc("What is wanted."),
  status: TalosControlPlaneStatus.doc("What is the case."),
});
export type TalosControlPlane = Resource<typeof TalosControlPlane>;
export type TalosControlPlaneSpec = NonNullable<TalosControlPlane["spec"]>;
