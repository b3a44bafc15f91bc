/** A baseboard management controller that is reached. IPMI, Redfish and the HTTP power API of virtual machines are behind it. */
import type { BmcCapabilities, BmcInventory, BootOnce, Health, PowerAction, PowerState, Sensor } from "#decide/power.ts";

/**
 * One call at a time: whoever has it (a lane of `fleet.ts`) sees to that. Every method rejects with Fault
 * - `bmc.unreachable` (world, soon): no answer in time, connection refused;
 * - `bmc.denied` (caller, later): it does not take the credentials;
 * - `bmc.busy` (peer, soon): not now: in POST, out of sessions, node busy;
 * - `bmc.refused` (peer, later): it says no, and the message says with which code;
 * - `bmc.unsupported` (peer, never): it cannot do that;
 * - `bmc.not-verified` (peer, soon): it said yes, and reading back shows something else;
 * - `bmc.malformed` (peer, later): its answer is no answer;
 * - `bmc.untrusted` (peer, later): its certificate is not the one that is known, and nothing was told to it;
 * or with the reason of an aborted `signal`.
 */
export interface Bmc {
  readonly protocol: BmcCapabilities["protocol"];
  capabilities(signal: AbortSignal): Promise<BmcCapabilities>;
  inventory(signal: AbortSignal): Promise<BmcInventory>;
  power(signal: AbortSignal): Promise<PowerState>;
  /** Resolves when the BMC has taken the command; whether it was followed is read back by the caller (`power-change.ts`). */
  command(action: PowerAction, signal: AbortSignal): Promise<void>;
  /** Resolves when reading back shows it. */
  bootOnce(boot: BootOnce, signal: AbortSignal): Promise<void>;
  identify(on: boolean, signal: AbortSignal): Promise<void>;
  health(signal: AbortSignal): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }>;
  /** The machine's serial console; ends when either side closes. */
  console(signal: AbortSignal): Promise<Console>;
  /** Ends the session with the BMC: few have many. Never rejects. The next call begins a new one. */
  close(): Promise<void>;
}

export interface Console {
  /** What the machine prints. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when the BMC has taken it. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Besides those of {@link Bmc}, whoever asks the fleet meets `bmc.no-credentials` (caller, later): a Secret is missing; `bmc.left-alone` (peer, later): it failed so often that it is not called now. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}
