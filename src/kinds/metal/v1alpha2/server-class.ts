/** A set of Servers, by what they are and how they are labelled. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, map, object, string } from "#schema/kit.ts";
import { ObjectReference } from "../../reference.ts";
import { LabelSelector } from "../../selector.ts";
import { BootFromDiskMethod } from "../boot.ts";
import { ConfigPatches, StrategicPatches } from "../patch.ts";
import { HardwareInformation } from "./hardware.ts";

/** Fields that v1alpha1 has as well. */
export const serverClassFields = {
  environmentRef: ObjectReference.doc(
    "Environment that machines of the class boot instead of the default one; only name is read.",
  ),
  selector: LabelSelector.doc("Labels of the machines in the class. Empty: all."),
  configPatches: ConfigPatches,
  bootFromDiskMethod: BootFromDiskMethod,
};

export const LabelSelectors = array(map(string())).doc(
  "Older form of selector: a machine fits when it carries any one label of any one entry. Use selector instead.",
);

export const ServerClassStatus = object({
  serversAvailable: array(string()).required().doc("Names of accepted Servers of the class that nobody holds."),
  serversInUse: array(string()).required().doc("Names of Servers of the class that a ServerBinding holds."),
});

/** What both versions have in common. */
export const serverClass = {
  group: "metal.sidero.dev",
  kind: "ServerClass",
  plural: "serverclasses",
  scope: "Cluster",
  doc: "A set of Servers that machines are taken from. The one named any holds all accepted Servers and is made when missing.",
  columns: [
    { name: "Available", type: "string", description: "Servers to be had", jsonPath: ".status.serversAvailable" },
    { name: "In Use", type: "string", description: "Servers that are held", jsonPath: ".status.serversInUse" },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  status: ServerClassStatus.doc("Which Servers are in the class now."),
} as const;

export const Qualifiers = object({
  hardware: array(HardwareInformation).doc(
    "A machine fits when it has everything that one of the entries names. Lists within an entry: each item must be found in the machine.",
  ),
  labelSelectors: LabelSelectors,
});

export const ServerClassSpec = object({
  ...serverClassFields,
  qualifiers: Qualifiers.doc("What the machines of the class must be. Empty: anything."),
  where: string()
    .max(2048)
    .doc(
      'What they must be besides, as a condition in CEL, such as memory.totalSize >= quantity("64Gi") && storage.devices.exists(d, d.type == "NVMe"). It may name the parts of spec.hardware, labels, hostname and name; sizes of memory and storage are bytes.',
    ),
  strategicPatches: StrategicPatches,
});

export const ServerClass = kind({
  ...serverClass,
  version: "v1alpha2",
  spec: ServerClassSpec.doc("Which Servers are in the class, and how they are set up."),
});
export type ServerClass = Resource<typeof ServerClass>;
