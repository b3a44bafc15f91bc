/** How far a boot has come, told from what is seen. A file that was refused is no progress; asking for an address is some, whoever answers. */
import { PHASES, type Phase } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { What } from "../sighting.ts";

/** A file fetched over HTTP is a boot program before a script was served, and what the script names after it. */
const PROGRESS: Partial<Record<What, Phase | "file">> = {
  "power.command": "power",
  "power.on": "power",
  "dhcp.discover": "dhcp",
  "dhcp.request": "dhcp",
  "dhcp.offer": "dhcp",
  "dhcp.ack": "dhcp",
  "dhcp.nak": "dhcp",
  "dhcp.refused": "dhcp",
  "dhcp.other-server": "dhcp",
  "tftp.sent": "program",
  "http.sent": "file",
  "script.served": "script",
  "config.served": "configured",
  "agent.hello": "agent",
  "agent.step": "agent",
  "agent.log": "agent",
  "agent.registered": "registered",
};

/** What is seen next if all goes well; for the last phase nothing is. */
const NEXT: Record<Phase, string | undefined> = {
  power: "the firmware asks for an address",
  dhcp: "the machine fetches a boot program or a script",
  program: "the boot program asks for an address, or for its script",
  script: "the machine fetches kernel and initial RAM disk",
  kernel: "the booted system calls",
  agent: "the agent registers the machine",
  registered: undefined,
  configured: "the system installs itself and boots from disk",
};

/** A number to compare phases by. */
export function rank(phase: Phase): number {
  return PHASES.indexOf(phase);
}

/** The later of two. */
export function later(a: Phase, b: Phase): Phase {
  return rank(a) > rank(b) ? a : b;
}

/** The phase that a sighting is part of in a boot that has come as far as `reached`; undefined: it says nothing about that. */
export function phaseOf(what: What, reached: Phase): Phase | undefined {
  const phase = PROGRESS[what];
  if (phase !== "file") return phase;
  return rank(reached) >= rank("script") ? "kernel" : "program";
}

export function nextAfter(phase: Phase): string | undefined {
  return NEXT[phase];
}
