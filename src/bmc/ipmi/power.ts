/** Power and the light, over IPMI (IPMI 2.0 §28). */
import type { PowerAction, PowerState } from "#decide/power.ts";
import { Fault } from "#std/fault.ts";
import { chassisControl, chassisIdentify, CONTROL, getChassisStatus } from "#wire/ipmi/chassis/chassis.ts";
import { call } from "#wire/ipmi/command.ts";
import { COMPLETION } from "#wire/ipmi/constants.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";

const CONTROLS: Readonly<Record<PowerAction, number>> = {
  on: CONTROL.powerUp,
  off: CONTROL.powerDown,
  cycle: CONTROL.powerCycle,
  reset: CONTROL.hardReset,
  "soft-off": CONTROL.softShutdown,
};
/** The state in which a machine is that has nothing more to do. */
const REACHED: Readonly<Partial<Record<PowerAction, PowerState>>> = { on: "on", off: "off", "soft-off": "off" };

export async function readPower(channel: IpmiChannel, signal: AbortSignal): Promise<PowerState> {
  const { isOn } = await call(channel, getChassisStatus, undefined, signal);
  return isOn ? "on" : "off";
}

export async function controlPower(channel: IpmiChannel, action: PowerAction, signal: AbortSignal): Promise<void> {
  try {
    await call(channel, chassisControl, CONTROLS[action], signal);
  } catch (error) {
    // Some refuse to switch on what is on.
    const isState = Fault.is(error) && error.facts["completion"] === COMPLETION.notInThisState;
    if (!isState || (await readPower(channel, signal)) !== REACHED[action]) throw error;
  }
}

/** The longest time for a light that knows no "until further notice". */
const LONGEST = 255;

/** Rejects with Fault `bmc.not-verified` (peer, soon) when the BMC tells of its light, and tells otherwise. */
export async function switchLight(channel: IpmiChannel, on: boolean, signal: AbortSignal): Promise<void> {
  try {
    await call(channel, chassisIdentify, on ? { seconds: 0, forever: true } : { seconds: 0, forever: false }, signal);
  } catch (error) {
    const codes: readonly unknown[] = [
      COMPLETION.lengthInvalid,
      COMPLETION.lengthLimit,
      COMPLETION.invalidField,
      COMPLETION.outOfRange,
    ];
    if (!Fault.is(error) || !codes.includes(error.facts["completion"])) throw error;
    await call(channel, chassisIdentify, { seconds: on ? LONGEST : 0 }, signal);
  }
  const { identify } = await call(channel, getChassisStatus, undefined, signal);
  if (identify === undefined || (identify !== "off") === on) return;
  throw new Fault(
    "bmc.not-verified",
    `the BMC was told to switch its light ${on ? "on" : "off"}, and says that it is ${identify}`,
    {
      fault: "peer",
      retry: "soon",
    },
  );
}
