/** A machine. Its name is the machine's SMBIOS UUID. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int32, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { CredentialSource, ObjectReference } from "../../reference.ts";
import { BootFromDiskMethod, PxeMode } from "../boot.ts";
import { ConfigPatches, StrategicPatches } from "../patch.ts";
import { HardwareInformation } from "./hardware.ts";

export const Bmc = object({
  endpoint: string().required().doc("Address of the BMC: a host name or an IP address."),
  port: int32().min(0).max(65535).doc("UDP port of IPMI; 0 means 623."),
  user: string().doc("User name, when it need not be secret."),
  userFrom: CredentialSource.doc("Where to take the user name from."),
  pass: string().doc("Password, in the open. Better use passFrom."),
  passFrom: CredentialSource.doc("Where to take the password from."),
  interface: string().doc("How to speak IPMI: lanplus (IPMI 2.0) or lan (IPMI 1.5). Empty means lanplus."),
})
  .rule({
    cel: "!(has(self.user) && self.user != '' && has(self.userFrom))",
    message: "user and userFrom cannot be used together",
    path: ".userFrom",
    check: ({ user = "", userFrom }) => user === "" || userFrom === undefined,
  })
  .rule({
    cel: "!(has(self.pass) && self.pass != '' && has(self.passFrom))",
    message: "pass and passFrom cannot be used together",
    path: ".passFrom",
    check: ({ pass = "", passFrom }) => pass === "" || passFrom === undefined,
  });
export type Bmc = TypeOf<typeof Bmc>;

export const ManagementApi = object({
  endpoint: string().required().doc("Base URL of the HTTP power API of a virtual machine, for tests."),
});

/** Fields that v1alpha1 has as well. */
export const serverFields = {
  accepted: boolean()
    .required()
    .doc("Whether the machine is ours to use. Until then nothing is written to it; once accepted, it is wiped and powered off."),
  cordoned: boolean().doc("Keeps the machine out of every ServerClass; what it runs stays."),
  hostname: string().doc("Host name the machine reported; for people only."),
  environmentRef: ObjectReference.doc(
    "Environment the machine boots instead of its class's or the default one; only name is read.",
  ),
  bmc: Bmc.doc("Baseboard management controller, by IPMI."),
  managementApi: ManagementApi.doc("Power API of a virtual machine, instead of a BMC."),
  configPatches: ConfigPatches,
  pxeBootAlways: boolean().doc("Boot from the network every time, also after installation."),
  bootFromDiskMethod: BootFromDiskMethod,
  pxeMode: PxeMode,
};

const NodeAddress = object({
  type: string().required().doc("InternalIP, ExternalIP, InternalDNS, ExternalDNS or Hostname."),
  address: string().required().doc("The address."),
});

const WipeOrder = object({
  id: string().required().doc("Which order this is; the agent's report that it is done must carry it."),
  reason: string().doc("Why the machine is to be wiped."),
  time: dateTime().doc("When it was ordered."),
});

export const ServerStatus = object({
  ready: boolean().doc("The machine is where it should be: clean and resting, or in use."),
  inUse: boolean().doc("A ServerBinding holds the machine."),
  isClean: boolean().doc("The machine was wiped and not used since."),
  conditions: Conditions.doc("PowerCycle: a wipe is under way (False) or done (True). PXEBooted: Talos is installed."),
  addresses: array(NodeAddress).doc("Addresses the machine reported."),
  wipeOrder: WipeOrder.doc("An order to wipe the machine, until it has been carried out. Without one nothing is ever wiped."),
  power: enumeration("on", "off", "unknown").doc("Power state as last read: on, off or unknown."),
});

/** What both versions have in common. */
export const server = {
  group: "metal.sidero.dev",
  kind: "Server",
  plural: "servers",
  scope: "Cluster",
  doc: "A machine, named by its SMBIOS UUID. It appears when the machine boots into the agent for the first time.",
  columns: [
    { name: "Hostname", type: "string", description: "Host name the machine reported", jsonPath: ".spec.hostname" },
    { name: "BMC IP", type: "string", description: "Address of the BMC", priority: 1, jsonPath: ".spec.bmc.endpoint" },
    { name: "Accepted", type: "boolean", description: "Ours to use", jsonPath: ".spec.accepted" },
    { name: "Cordoned", type: "boolean", description: "Kept out of all classes", jsonPath: ".spec.cordoned" },
    { name: "Allocated", type: "boolean", description: "A ServerBinding holds it", jsonPath: ".status.inUse" },
    { name: "Clean", type: "boolean", description: "Wiped and not used since", jsonPath: ".status.isClean" },
    { name: "Power", type: "string", description: "Power state as last read", jsonPath: ".status.power" },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  status: ServerStatus.doc("What is the case."),
} as const;

export const ServerSpec = object({
  ...serverFields,
  strategicPatches: StrategicPatches,
  hardware: HardwareInformation.doc("What the machine is made of, as the agent found it."),
});

export const Server = kind({
  ...server,
  version: "v1alpha2",
  spec: ServerSpec.doc("What is wanted, and what was found at registration."),
});
export type Server = Resource<typeof Server>;
