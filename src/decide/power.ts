/** What can be asked of a machine's baseboard management controller, whatever it speaks. The words of decisions; `bmc/` carries them out. */

/** As read from the BMC, which is the only one to know. */
export type PowerState = "on" | "off";

/**
 * `off`: at once, as if the cord were pulled. `soft-off`: by the operating system, which may take its time or refuse. `cycle`: off, then
 * on. `reset`: without going off.
 */
export type PowerAction = "on" | "off" | "soft-off" | "cycle" | "reset";

export type BootDevice = "pxe" | "http" | "disk" | "cd";

/** For the next start only. */
export interface BootOnce {
  readonly device: BootDevice;
  readonly firmware: "uefi" | "bios";
  /** What to boot, with `http` and `cd`. */
  readonly url?: string;
}

/** What a BMC was found to be able to do. */
export interface BmcCapabilities {
  readonly protocol: "ipmi" | "redfish" | "http";
  readonly actions: readonly PowerAction[];
  readonly bootDevices: readonly BootDevice[];
  /** The light that shows which machine it is. */
  readonly identify: boolean;
  readonly sensors: boolean;
  readonly console: boolean;
  readonly virtualMedia: boolean;
  /** Undefined: cannot be read out of band. */
  readonly secureBoot?: boolean;
}

/** What a BMC says of itself and its machine; everything may be missing. */
export interface BmcInventory {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  /** SMBIOS UUID of the machine, in the order people write it. */
  readonly uuid?: string;
  readonly firmwareVersion?: string;
  readonly macs?: readonly string[];
}

export type Health = "ok" | "warning" | "critical" | "unknown";

export interface Sensor {
  readonly name: string;
  readonly health: Health;
  readonly value?: number;
  /** `°C`, `V`, `RPM`, `W`, `A`, `%` */
  readonly unit?: string;
  /** In words, where there is no number. */
  readonly text?: string;
}

/** One thing to do at a BMC, in steps; the id makes that repeating it does nothing. */
export interface PowerOperation {
  readonly id: string;
  readonly steps: readonly PowerStep[];
  /** A person waits for it, or the life cycle does. Readings come after both. */
  readonly urgency: "user" | "lifecycle";
  /** Why, for the machine's timeline: `to be wiped (order 7f3a)`. */
  readonly because?: string;
}

export type PowerStep =
  | { readonly do: "boot-once"; readonly boot: BootOnce }
  | { readonly do: "power"; readonly action: PowerAction }
  | { readonly do: "identify"; readonly on: boolean };

/** What became of an operation. `done`: the effect was read back. */
export interface PowerOutcome {
  readonly id: string;
  readonly state: "waiting" | "running" | "done" | "failed";
  /** The step it is at, or failed at. */
  readonly step?: PowerStep;
  /** Code of the Fault, and what it says. */
  readonly error?: { readonly code: string; readonly message: string; readonly retry: "soon" | "later" | "never" };
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Whether a BMC that failed is left alone for a while. `closed`: all is well. `open`: nobody calls it before `retryAt`. `half-open`: one call tries. */
export interface Breaker {
  readonly state: "closed" | "open" | "half-open";
  /** In a row. */
  readonly failures: number;
  readonly error?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly retryAt?: number;
}

/** What is known of a machine's power at this moment; looking costs nothing. */
export interface PowerFacts {
  /**
   * How it is reached. `bmc`: a BMC is configured. `none`: nothing is, so that only its agent, Wake-on-LAN or a person can switch it. `unusable`: what
   * is configured cannot work, and `problem` says why.
   */
  readonly way: "bmc" | "none" | "unusable";
  readonly problem?: string;
  readonly power: PowerState | "unknown";
  /** When that was read, milliseconds since 1970. */
  readonly readAt?: number;
  readonly breaker: Breaker;
  /** The last operation begun, also while it runs. */
  readonly operation?: PowerOutcome;
  readonly capabilities?: BmcCapabilities;
  readonly inventory?: BmcInventory;
  readonly health?: Health;
  /** SHA-256 of its certificate, which was taken when it was first seen because it does not verify; to be kept. */
  readonly fingerprint?: string;
}
