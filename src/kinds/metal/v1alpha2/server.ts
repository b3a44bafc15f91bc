/** A machine. Its name is the machine's SMBIOS UUID. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int32, int64, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { CredentialSource, ObjectReference } from "../../reference.ts";
import { BootFromDiskMethod, PxeMode } from "../boot.ts";
import { ConfigPatches, StrategicPatches } from "../patch.ts";
import { HardwareInformation } from "./hardware.ts";

export const Bmc = object({
  endpoint: string()
    .required()
    .doc(
      "Address of the BMC: a host name or an IP address, which is reached by IPMI, or a URL: ipmi://HOST[:PORT], redfish://HOST/redfish/v1/Systems/ID, redfish+http://…, idrac-redfish://…, redfish-virtualmedia://…, redfish-uefihttp://….",
    ),
  port: int32().min(0).max(65535).doc("UDP port of IPMI; 0 means 623."),
  user: string().doc("User name, when it need not be secret."),
  userFrom: CredentialSource.doc("Where to take the user name from."),
  pass: string().doc("Password, in the open. Better use passFrom."),
  passFrom: CredentialSource.doc("Where to take the password from."),
  interface: string().doc("How to speak IPMI: lanplus (IPMI 2.0) or lan (IPMI 1.5). Empty means lanplus."),
  cipherSuite: int32()
    .min(0)
    .max(17)
    .doc(
      "IPMI 2.0 cipher suite: 3 or 17. Empty means 17, then 3. Only who writes 0 here gets suite 0, which authenticates nobody, or by IPMI 1.5 sends a password in the clear.",
    ),
  fingerprint: string().doc(
    "SHA-256 of the certificate the BMC has to show, in hexadecimal. Empty: it is verified, and one that cannot be is pinned when first seen (status.bmc.fingerprint).",
  ),
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

/** Where a machine is in its life. `docs/guides/lifecycle.md` has the picture. */
export const SERVER_PHASES = [
  "Discovered",
  "Held",
  "Adopted",
  "Wiping",
  "Available",
  "Allocated",
  "Installing",
  "Running",
  "Releasing",
  "Failed",
  "Paused",
  "Deleting",
] as const;
export type ServerPhase = (typeof SERVER_PHASES)[number];

const Waiting = object({
  reason: string().required().doc("Why it does not go on, as one word for programs, in CamelCase."),
  waitingFor: string().required().doc("What has to happen, as a phrase."),
  since: dateTime().required().doc("Since when."),
  deadline: dateTime().doc("When it is given up, or tried again; none: it may take for ever."),
  next: string().doc("What comes then."),
  remedy: string().doc("What a person can do about it."),
});

const WipedDisk = object({
  name: string().required().doc("Device name, such as sda."),
  model: string().doc("Model of the disk."),
  serial: string().doc("Serial number of the disk."),
  wwid: string().doc("World-wide identifier of the disk."),
  bytes: int64().doc("Size of the disk."),
  method: string().doc("How it was erased: nvme-format-crypto, ata-security-erase, discard, zeroes and so on."),
  state: enumeration("pending", "wiping", "verifying", "done", "failed", "skipped").required().doc("How far it is."),
  percent: int32().min(0).max(100).doc("Of the work, roughly."),
  verified: boolean().doc("It was read back afterwards, and nothing of what was there was found."),
  detail: string().doc("Why it failed or was skipped; what else is worth knowing."),
  finishedAt: dateTime().doc("When it was done or failed."),
});

const WipedMachine = object({
  uid: string().doc("uid of the Server."),
  uuid: string().doc("SMBIOS UUID."),
  serialNumber: string().doc("Serial number of the machine."),
  manufacturer: string().doc("Who made it."),
  productName: string().doc("Model of the machine."),
});

/** An order stays on record when it has been carried out, as what was done: the newest one is the machine's erase record. */
const Wipe = object({
  id: string().required().doc("Which order this is; everything an agent says of it must carry it."),
  reason: string().required().doc("Why the machine is to be wiped."),
  by: enumeration("acceptance", "release", "request").required().doc("What made the order."),
  orderedAt: dateTime().required().doc("When it was ordered."),
  state: enumeration("ordered", "started", "done", "failed", "withdrawn")
    .required()
    .doc("ordered: no agent has begun. failed: see detail; it is tried again as long as attempts are left."),
  mode: enumeration("fast", "full").doc("How thoroughly."),
  attempts: int32().doc("How often the machine was started, or its agent told, to carry it out."),
  attemptedAt: dateTime().doc("When that was last."),
  boot: string().doc("Boot of the agent that was told."),
  startedAt: dateTime().doc("When an agent began."),
  heardAt: dateTime().doc("When an agent that wipes was last heard of."),
  finishedAt: dateTime().doc("When it was done."),
  detail: string().doc("What went wrong."),
  disks: array(WipedDisk).listMap("name").doc("Disk by disk."),
  machine: WipedMachine.doc("The machine as it was when it was wiped, whatever becomes of its hardware."),
  signature: string().doc("Of the installation, over all this: see sidero certificate."),
});

const Action = object({
  id: string().required().doc("Operation; repeating it does nothing."),
  do: string().required().doc("What is done: boot-agent, boot-environment, power-off, power-on, reboot, power-cycle, identify."),
  because: string().doc("Why."),
  state: enumeration("running", "done", "failed").required().doc("What became of it."),
  attempts: int32().doc("How often it was tried."),
  startedAt: dateTime().required().doc("When it was begun first."),
  triedAt: dateTime().doc("When it was begun last."),
  retryAt: dateTime().doc("When it is tried again."),
  error: string().doc("Why it failed last."),
});

const BmcStatus = object({
  way: enumeration("bmc", "none", "unusable").required().doc("How the machine is switched: by its BMC, or not by us."),
  problem: string().doc("Why it cannot be."),
  protocol: string().doc("What is spoken: ipmi, redfish or http."),
  manufacturer: string().doc("Who made it, as it says."),
  model: string().doc("Which it is, as it says."),
  firmwareVersion: string().doc("Version of its firmware."),
  fingerprint: string().doc("SHA-256 of its certificate as it was first seen; another one is refused."),
  health: enumeration("ok", "warning", "critical", "unknown").doc("Its own judgement of the machine."),
  breaker: enumeration("closed", "open", "half-open").doc("open: it failed so often that it is left alone until retryAt."),
  failures: int32().doc("In a row."),
  error: string().doc("Of the last failure."),
  retryAt: dateTime().doc("When an open breaker lets one call through."),
});

const Allocation = object({
  binding: string().required().doc("uid of the ServerBinding."),
  namespace: string().doc("Namespace of the MetalMachine that holds it."),
  metalMachine: string().doc("Name of the MetalMachine that holds it."),
  cluster: string().doc("Name of its cluster."),
  since: dateTime().required().doc("Since when."),
});

const HandledRequest = object({
  value: string()
    .required()
    .doc("The annotation metal.sidero.dev/request as it was handled last; another value is another request."),
  outcome: string().required().doc("What came of it."),
  at: dateTime().required().doc("When it was handled."),
});

export const ServerStatus = object({
  ready: boolean().doc("The machine is where it should be: clean and resting, or in use."),
  inUse: boolean().doc("A ServerBinding holds the machine."),
  isClean: boolean().doc("The machine was wiped and not used since."),
  conditions: Conditions.doc("PowerCycle: a wipe is under way (False) or done (True). PXEBooted: Talos is installed."),
  addresses: array(NodeAddress).doc("Addresses the machine reported."),
  power: enumeration("on", "off", "unknown").doc("Power state as last read: on, off or unknown."),
  phase: enumeration(...SERVER_PHASES).doc(
    "Where it is in its life. Discovered: not accepted yet. Held: accepted, but nothing is on record of what is on its disks, so it is left alone. Adopted: runs something that stays. Failed: given up until somebody looks.",
  ),
  waiting: Waiting.doc("What it waits for; absent: it is where it should be, or under way."),
  wipe: Wipe.doc(
    "The order to wipe it, and how far that is; the last one stays as its erase record. Without an order nothing is ever wiped.",
  ),
  action: Action.doc("What was last done to its power."),
  bmc: BmcStatus.doc("What is known of its BMC."),
  allocation: Allocation.doc("Who holds it."),
  request: HandledRequest.doc("The last request by annotation."),
  bootSeconds: int32().doc("From switching it on to the agent's first word, the last time that was seen."),
});
export type ServerStatus = TypeOf<typeof ServerStatus>;
export type WipeOrder = TypeOf<typeof Wipe>;
export type WipedDisk = TypeOf<typeof WipedDisk>;
export type Waiting = TypeOf<typeof Waiting>;

/** `<verb> <anything that makes it new>`; the verbs are those of `decide/lifecycle/request.ts`. */
export const REQUEST_ANNOTATION = "metal.sidero.dev/request";

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
    { name: "Phase", type: "string", description: "Where it is in its life", jsonPath: ".status.phase" },
    {
      name: "Waiting for",
      type: "string",
      description: "What it waits for",
      priority: 1,
      jsonPath: ".status.waiting.waitingFor",
    },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  status: ServerStatus.doc("What is the case."),
} as const;

const DiskSelector = object({
  name: string().doc("Device name, such as sda."),
  serial: string().doc("Serial number."),
  wwid: string().doc("World-wide identifier."),
  model: string().doc("Model; * stands for anything."),
  type: string().doc("SSD, HDD, NVMe or SD."),
});
export type DiskSelector = TypeOf<typeof DiskSelector>;

const WipePolicy = object({
  mode: enumeration("fast", "full").doc("How thoroughly; empty means as --insecure-wipe says."),
  only: array(DiskSelector).doc("Disks to wipe; a disk has to fit all fields of one entry. Empty means all fixed disks."),
  keep: array(DiskSelector).doc("Disks to leave as they are, whatever else says."),
});
export type WipePolicy = TypeOf<typeof WipePolicy>;

export const ServerSpec = object({
  ...serverFields,
  strategicPatches: StrategicPatches,
  adopt: boolean().doc("The machine runs something that stays: Sidero controls its power and never wipes it."),
  wakeOnLan: boolean().doc("Without a BMC, the machine may be switched off: Wake-on-LAN switches it on."),
  wipe: WipePolicy.doc("How it is wiped, when it is."),
  hardware: HardwareInformation.doc("What the machine is made of, as the agent found it."),
});

export const Server = kind({
  ...server,
  version: "v1alpha2",
  spec: ServerSpec.doc("What is wanted, and what was found at registration."),
});
export type Server = Resource<typeof Server>;
