/** What is seen of a machine on its way up: one fact, by whoever saw it. The flight recorder makes boots of them (`decide/flight/`). */

/** As much as the one who saw it knows; the recorder finds the machine from any of these. */
export interface Whom {
  /** `52:54:00:12:34:56` */
  readonly mac?: string;
  /** SMBIOS UUID as the machine said it, lower case. */
  readonly uuid?: string;
  /** IP address the machine uses now. */
  readonly address?: string;
  /** Name of its Server. */
  readonly server?: string;
}

/**
 * Who saw what. `power.command`: what its BMC was told to do; `begins` when that starts the machine. `power.on`, `power.off`: as its BMC says.
 * `dhcp.other-server`: an offer that is not ours. `*.refused`: asked for what it may not have, or what there is not.
 * `script.served`: the decision and its reason. `config.served`: a system has its configuration.
 * `link.*`: of SideroLink. `talos.event`: what Talos says of itself there. `agent.*`: what the agent says of itself.
 */
export const SIGHTINGS = [
  "power.command",
  "power.on",
  "power.off",
  "dhcp.discover",
  "dhcp.request",
  "dhcp.offer",
  "dhcp.ack",
  "dhcp.nak",
  "dhcp.refused",
  "dhcp.other-server",
  "tftp.sent",
  "tftp.refused",
  "tftp.failed",
  "http.sent",
  "http.refused",
  "http.failed",
  "script.served",
  "config.served",
  "config.refused",
  "link.joined",
  "link.refused",
  "talos.event",
  "agent.hello",
  "agent.registered",
  "agent.refused",
  "agent.step",
  "agent.log",
  "agent.gone",
  "sidero.stopped",
  "sidero.started",
] as const;
export type What = (typeof SIGHTINGS)[number];

export interface Sighting {
  readonly of: Whom;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: What;
  /** One line for people, in the past tense, with what matters: names, sizes, reasons. At most 256 characters are kept. */
  readonly text: string;
  /** Milliseconds it took, where it took time. */
  readonly took?: number;
  /** Bytes that went to the machine. */
  readonly bytes?: number;
  /** What the machine waits for from now on, in words; a sighting without it ends the wait. */
  readonly waitingFor?: string;
  /** It is at the very beginning of a power-on (firmware asks for an address, a BMC is told to start the machine): a new boot, unless the last one has not come further. */
  readonly begins?: boolean;
  /** Nothing more is to be expected of this boot: the machine was sent on to its own disk. */
  readonly ends?: boolean;
}

/** Must return at once and never throw; the recorder bounds what it keeps. */
export type Witness = (sighting: Sighting) => void;
