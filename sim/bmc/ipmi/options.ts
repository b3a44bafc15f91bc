/** What a simulated BMC is made of, and what it is attached to. */
import type { Clock } from "#io/clock.ts";
import type { Crypto } from "#io/crypto.ts";
import type { Entropy } from "#io/entropy.ts";
import type { UdpEndpoint } from "#io/udp.ts";
import type { BootFlags } from "#wire/ipmi/chassis/boot.ts";
import type { HardwareModel } from "./model.ts";

export type ChassisAction = "on" | "off" | "cycle" | "reset" | "diagnostic" | "soft-off";

/** The machine that the BMC belongs to. */
export interface Chassis {
  isOn(): boolean;
  control(action: ChassisAction): void;
  identify?(on: boolean): void;
  /** Called when somebody sets what to boot from; the machine's firmware asks `takeBoot`, which is all most need. */
  onBootFlags?(flags: BootFlags): void;
  /** What a sensor of the model gives now; undefined: what it usually gives. `null`: no reading. */
  reading?(sensor: number): number | null | undefined;
  readonly serial?: SerialLine;
}

/** The machine's serial port, as the BMC sees it. */
export interface SerialLine {
  /** Characters for the machine. */
  write(bytes: Uint8Array): void;
  break?(): void;
  /** Calls `receive` with what the machine prints. Returns what ends that. */
  listen(receive: (bytes: Uint8Array) => void): () => void;
}

export interface UserOptions {
  readonly name: string;
  readonly password: string;
  /** As in PRIVILEGE; administrator when absent. */
  readonly privilege?: number;
}

export interface SimulatedIpmiOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly chassis: Chassis;
  /** Sixteen bytes, in the order they are sent. */
  readonly guid: Uint8Array;
  /** From number 2 on. */
  readonly users: readonly UserOptions[];
  /** Those it has: of 0, 3 and 17. 3 and 17 when absent. */
  readonly suites?: readonly number[];
  /** Whether IPMI 1.5 is spoken; it is when absent. */
  readonly speaks15?: boolean;
  readonly speaks20?: boolean;
  /** Ways to prove who one is by IPMI 1.5 (AUTHENTICATION): MD5 and straight password when absent, and none where suite 0 is. */
  readonly types15?: readonly number[];
  /** Sessions at once; 4 when absent. */
  readonly sessions?: number;
  /** The BMC's own key (K_g). */
  readonly key?: Uint8Array;
  readonly model?: HardwareModel;
  /** What the FRU says. */
  readonly product?: { readonly manufacturer: string; readonly name: string; readonly serial: string };
  /** Its own network interface, as LAN parameters say. */
  readonly lan?: { readonly address: string; readonly mac: string };
  readonly faults?: IpmiFaults;
  /** Sends a datagram to a client. */
  readonly send: (bytes: Uint8Array, to: UdpEndpoint) => void;
}

/** What becomes of a datagram on its way in or out. Nothing: it arrives. */
export interface Mishap {
  readonly lost?: boolean;
  readonly twice?: boolean;
  /** Milliseconds. */
  readonly late?: number;
}

/** What goes wrong, as a script says. All hooks are asked each time; a hook that is missing, or gives nothing, does nothing. */
export interface IpmiFaults {
  /** Of each datagram that comes; `lost` is what a BMC that hangs does with all. */
  incoming?(): Mishap | undefined;
  outgoing?(): Mishap | undefined;
  /** A completion code instead of doing it. Commands that begin and end sessions are asked about as well. */
  refuse?(netFn: number, command: number): number | undefined;
  /** What it says about power instead of the truth. */
  powerLie?(isOn: boolean): boolean;
  /** It takes the command and does nothing. */
  ignores?(action: ChassisAction): boolean;
  /** All its sessions are somebody else's. */
  isFull?(): boolean;
  /** It takes a boot override and keeps nothing of it. */
  forgetsBoot?(): boolean;
}
