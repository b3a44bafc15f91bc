/** The road of a boot in short: the stations of a BootRecord that everyone waits for, with the time since the power button. */
import type { BootRecord, RecordedSighting } from "#kinds/metal/v1alpha2/boot-record.ts";

/** In order; a machine whose NIC is an iPXE already has no need of a program. */
const STATIONS: readonly { readonly name: string; readonly isSeenBy: (sighting: RecordedSighting) => boolean }[] = [
  { name: "DHCP", isSeenBy: ({ what }) => what === "dhcp.discover" },
  { name: "iPXE", isSeenBy: ({ what, text }) => what === "tftp.sent" || (what === "http.sent" && /\.(efi|kpxe)/.test(text)) },
  { name: "script", isSeenBy: ({ what }) => what === "script.served" },
  { name: "kernel", isSeenBy: ({ what, text }) => what === "http.sent" && text.includes("vmlinuz") },
  { name: "initrd", isSeenBy: ({ what, text }) => what === "http.sent" && text.includes("initramfs") },
  { name: "agent", isSeenBy: ({ what }) => what === "agent.hello" },
  { name: "Server", isSeenBy: ({ what }) => what === "agent.registered" },
];

export interface Station {
  readonly name: string;
  /** Seconds since the machine was switched on. */
  readonly at: number;
  /** What was seen. */
  readonly text: string;
}

/** Where it has been; `since` is when it was switched on, in milliseconds since 1970. */
export function roadOf({ status }: BootRecord, since: number): Station[] {
  const sightings = status?.sightings ?? [];
  return STATIONS.flatMap(({ name, isSeenBy }) => {
    const seen = sightings.find((sighting) => Date.parse(sighting.time) >= since && isSeenBy(sighting));
    return seen === undefined ? [] : [{ name, at: (Date.parse(seen.time) - since) / 1000, text: seen.text }];
  });
}

/** What it waits for, or else what should come next. */
export function outlookOf({ status }: BootRecord): string {
  const waiting = status?.waitingFor?.what;
  return waiting === undefined ? (status?.next ?? "") : `waiting for ${waiting}`;
}
