/** The infrastructure of one Machine: a Server, given or picked from a class. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, enumeration, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ObjectReference } from "../../reference.ts";
import { Initialization } from "./metal-cluster.ts";

const Bmc = object({
  endpoint: string().required().doc("Address of the BMC."),
  user: string().doc("User name."),
  pass: string().doc("Password."),
});

/** Fields that v1alpha2 has as well. */
export const metalMachineFields = {
  bmc: Bmc.doc(
    "As the provider before Sidero had it: BMC of the Server that serverRef names. Copied to that Server if it has none; better say it there.",
  ),
  providerID: string().doc("sidero:// and the Server's name; set once a Server is held. The node carries the same."),
  serverRef: ObjectReference.doc(
    "The Server: given by whoever wants a particular one, else set when one is picked from the class.",
  ),
};

export const MetalMachineSpec = object({
  ...metalMachineFields,
  serverClassRef: ObjectReference.doc("ServerClass to pick a Server from, when serverRef is not given; only name is read."),
  failureDomain: string().doc("Failure domain of the machine (contract v1beta1; later contracts read it from the status)."),
});

const MachineAddress = object({
  type: enumeration("Hostname", "ExternalIP", "InternalIP", "ExternalDNS", "InternalDNS")
    .required()
    .doc("What kind of address it is."),
  address: string().required().min(1).max(256).doc("The address."),
});

const MetalMachineStatus = object({
  ready: boolean().doc("The machine is there (contract v1beta1)."),
  initialization: Initialization,
  addresses: array(MachineAddress).doc("Addresses of the machine."),
  failureDomain: string().doc("Failure domain the machine was placed in (contract v1beta2)."),
  failureReason: string().doc("What cannot be mended without help, as one word (contract v1beta1)."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence (contract v1beta1)."),
  conditions: Conditions.doc(
    "Ready, and what it depends on: ServerAllocated (why it waits), TalosConfigLoaded, TalosConfigValidated, TalosInstalled; ProviderSet: its Node has its providerID.",
  ),
});

/** What both versions have in common. */
export const metalMachine = {
  group: "infrastructure.cluster.x-k8s.io",
  kind: "MetalMachine",
  plural: "metalmachines",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "A bare machine that is to become a node, for Cluster API.",
  columns: [
    { name: "Ready", type: "string", description: "The machine is there", jsonPath: ".status.ready" },
    {
      name: "Cluster",
      type: "string",
      description: "Cluster it belongs to",
      priority: 1,
      jsonPath: ".metadata.labels.cluster\\.x-k8s\\.io/cluster-name",
    },
    {
      name: "Machine",
      type: "string",
      description: "Machine it serves",
      priority: 1,
      jsonPath: '.metadata.ownerReferences[?(@.kind=="Machine")].name',
    },
    { name: "Server", type: "string", description: "Server it holds", priority: 1, jsonPath: ".spec.serverRef.name" },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
} as const;

export const MetalMachine = kind({
  ...metalMachine,
  version: "v1alpha3",
  spec: MetalMachineSpec.doc("What is wanted."),
  status: MetalMachineStatus.doc("What is the case."),
});
export type MetalMachine = Resource<typeof MetalMachine>;
