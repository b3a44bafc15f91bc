/** The flight recorder's page: what was seen of a machine from power-on until it was up, or gone. Written by Sidero alone. */
import type { Resource } from "#schema/kind.ts";
import { kind } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, dateTime, enumeration, int32, int64, object, string } from "#schema/kit.ts";

/** How far a boot has come, in order. */
export const PHASES = ["power", "dhcp", "program", "script", "kernel", "agent", "registered", "configured"] as const;
export type Phase = (typeof PHASES)[number];

/** Sightings that one record holds; repetitions are one. */
export const MOST_SIGHTINGS = 200;
/** Once so many are there, what comes later pushes out the oldest after these: how it began stays to be read. */
export const FIRST_SIGHTINGS = 100;
/** Characters of a text. */
export const MOST_TEXT = 256;

/** Labels by which the records of a machine are found. The last two are prefixes, followed by a MAC or an IP address. */
export const MACHINE_LABEL = "metal.sidero.dev/machine";
export const SERVER_LABEL = "metal.sidero.dev/server";
const MAC_LABEL = "mac.metal.sidero.dev/";
const ADDRESS_LABEL = "address.metal.sidero.dev/";

/** `mac.metal.sidero.dev/525400123456` of `52:54:00:12:34:56`. */
export function macLabel(mac: string): string {
  return MAC_LABEL + mac.replaceAll(":", "");
}

/** `address.metal.sidero.dev/10.0.0.5`; in IPv6 addresses, hyphens stand for colons, and zeros at the ends of `::`. */
export function addressLabel(address: string): string {
  const text = address.replace(/^::/, "0::").replace(/::$/, "::0");
  return ADDRESS_LABEL + text.replaceAll(":", "-");
}

const Sighting = object({
  time: dateTime().required().doc("When it was seen; the first time, if it was seen more than once."),
  what: string()
    .required()
    .max(64)
    .doc("What was seen, for programs: dhcp.discover, tftp.sent, script.served, agent.hello and so on."),
  text: string().required().max(MOST_TEXT).doc("What was seen, for people."),
  took: int64().doc("Milliseconds it took, where it took time."),
  bytes: int64().doc("Bytes that went to the machine."),
  count: int32().doc("How often it was seen, if more than once."),
  until: dateTime().doc("When it was seen last, if more than once."),
});
export type RecordedSighting = TypeOf<typeof Sighting>;

export const BootRecord = kind({
  group: "metal.sidero.dev",
  version: "v1alpha2",
  kind: "BootRecord",
  plural: "bootrecords",
  scope: "Cluster",
  doc: "One boot of a machine: everything that was seen of it, in order. It is named by what the machine was known as when it began, and when that was (UTC). The last five of a machine are kept.",
  columns: [
    { name: "Machine", type: "string", description: "Which machine it is", jsonPath: ".spec.machine" },
    { name: "Phase", type: "string", description: "How far it has come", jsonPath: ".status.phase" },
    { name: "Waiting for", type: "string", description: "What the machine waits for", jsonPath: ".status.waitingFor.what" },
    { name: "Started", type: "date", description: "Time since the first sighting", jsonPath: ".status.startedAt" },
    { name: "Duration", type: "string", description: "From the first sighting to the last", jsonPath: ".status.duration" },
    { name: "Next", type: "string", description: "What should be seen next", priority: 1, jsonPath: ".status.next" },
    { name: "MAC", type: "string", description: "A MAC address", priority: 1, jsonPath: ".spec.macs[0]" },
    { name: "Address", type: "string", description: "An IP address", priority: 1, jsonPath: ".spec.addresses[0]" },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  spec: object({
    machine: string()
      .required()
      .doc("The machine: its Server's name, its SMBIOS UUID, or the MAC or IP address while nothing better is known."),
    server: string().doc("Name of its Server, once it has one."),
    uuid: string().doc("SMBIOS UUID as the machine said it."),
    macs: array(string()).doc("MAC addresses it was seen with."),
    addresses: array(string()).doc("IP addresses it was seen with."),
  })
    .required()
    .doc("Whose boot it is."),
  status: object({
    phase: enumeration(...PHASES).doc(
      "How far it has come: power, dhcp (asked for an address), program (fetched a boot program), script (was told what to boot), kernel (fetched it), agent (the agent has called), registered, configured (a system has got its configuration).",
    ),
    startedAt: dateTime().doc("First sighting."),
    lastSeenAt: dateTime().doc("Last sighting of the machine so far."),
    endedAt: dateTime().doc("When the boot was over: the machine was switched off, booted anew, or went on to its own disk."),
    duration: string().doc("From the first sighting to the last, such as 12.3s."),
    waitingFor: object({
      what: string().required().max(MOST_TEXT).doc("What has to happen before the machine goes on."),
      since: dateTime().required().doc("Since when."),
    }).doc("What the machine has been told to wait for."),
    next: string().doc("What should be seen next, if all goes well."),
    sightings: array(Sighting)
      .max(MOST_SIGHTINGS)
      .doc("Everything that was seen, in order of time. Repetitions are one entry with a count."),
    dropped: int32().doc("Sightings that are no longer in the list. They came after the first 100."),
  }).doc("What was seen."),
});
export type BootRecord = Resource<typeof BootRecord>;
