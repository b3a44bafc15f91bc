/** Who holds a Server. Named like the Server, so that creating it is the lock. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ObjectReference } from "../../reference.ts";

const SideroLink = object({
  address: string().required().doc("The machine's address in the WireGuard network, with its prefix length."),
  publicKey: string().required().doc("The machine's WireGuard public key."),
});

const ServerBindingSpec = object({
  serverClassRef: ObjectReference.doc("Class the Server was picked from; empty when it was asked for by name."),
  metalMachineRef: ObjectReference.required().doc(
    "The MetalMachine that holds the Server; kind, namespace, name and uid are read.",
  ),
  siderolink: SideroLink.doc("The machine's end of SideroLink, from its first call on."),
  addresses: array(string()).doc("Addresses the running machine reported. In the spec, so that moving the cluster keeps them."),
  hostname: string().doc("Host name the running machine reported."),
});

/** What order of boot it was: of the two, the later one counts. */
const order = string().required().doc("The order to boot it that this was for: the Server's status.action.id.");

const Configuration = object({
  servedAt: dateTime().required().doc("When it was first sent for this boot."),
  boot: string().required().doc("The boot, by its script."),
  order,
  address: string().required().doc("Address it was sent to."),
  addresses: array(string()).doc("Addresses that the configuration gives to the machine."),
  open: boolean().doc("It was sent to whoever asked (--open-metadata)."),
});

const Intruder = object({
  at: dateTime().required().doc("When it asked."),
  order,
  address: string().required().doc("From where."),
  mac: string().doc("Whose address that is, as the network shows it."),
});

const Link = object({
  boot: string().doc("The boot whose token has joined last."),
  issuedAt: dateTime().doc("When that token was made."),
  uniqueToken: string().doc("SHA-256 of the token that the machine keeps on its disk."),
});

const ServerBindingStatus = object({
  ready: boolean().doc("The Server exists."),
  configuration: Configuration.doc(
    "The machine configuration that was sent, and to which boot. It is not sent to another one of the same order.",
  ),
  siderolink: Link.doc("What the machine has shown to join SideroLink; whoever cannot show as much does not get its tunnel."),
  intruder: Intruder.doc("Somebody else asked as this machine while it was to boot: that boot gets no configuration."),
  conditions: Conditions.doc("How far the machine has come: TalosConfigLoaded, TalosConfigValidated, TalosInstalled."),
});

export const ServerBinding = kind({
  group: "infrastructure.cluster.x-k8s.io",
  version: "v1alpha3",
  kind: "ServerBinding",
  plural: "serverbindings",
  scope: "Cluster",
  categories: ["cluster-api"],
  doc: "Holds the Server of the same name for a MetalMachine. While it exists nobody else gets the Server; when it goes, the Server is wiped.",
  columns: [
    { name: "Ready", type: "string", description: "The Server exists", jsonPath: ".status.ready" },
    { name: "Server", type: "string", description: "Server that is held", priority: 1, jsonPath: ".metadata.name" },
    {
      name: "ServerClass",
      type: "string",
      description: "Class it was picked from",
      priority: 1,
      jsonPath: ".spec.serverClassRef.name",
    },
    { name: "MetalMachine", type: "string", description: "Who holds it", priority: 1, jsonPath: ".spec.metalMachineRef.name" },
    {
      name: "Cluster",
      type: "string",
      description: "Cluster it belongs to",
      priority: 1,
      jsonPath: ".metadata.labels.cluster\\.x-k8s\\.io/cluster-name",
    },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  spec: ServerBindingSpec.doc("Who holds the Server, and what the machine reported."),
  status: ServerBindingStatus.doc("What is the case."),
});
export type ServerBinding = Resource<typeof ServerBinding>;
export type ServerBindingStatus = TypeOf<typeof ServerBindingStatus>;
