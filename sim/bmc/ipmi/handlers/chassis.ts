/** Power, the light, and what to boot from (IPMI 2.0 §28). */
import { BOOT_PARAMETER, decodeBootFlags } from "#wire/ipmi/chassis/boot.ts";
import { CHASSIS, COMPLETION, PRIVILEGE } from "#wire/ipmi/constants.ts";
import type { ChassisAction } from "../options.ts";
import { Refusal } from "./handler.ts";
import type { Handlers } from "./handler.ts";

/** By the control byte. */
const ACTIONS: readonly ChassisAction[] = ["off", "on", "cycle", "reset", "diagnostic", "soft-off"];
/** Of a machine that is off, nothing of that can be asked. */
const NEEDS_POWER: readonly ChassisAction[] = ["cycle", "reset", "diagnostic", "soft-off"];
const PARAMETER_VERSION = 0x01;

export const chassisHandlers: Handlers = {
  [CHASSIS.getCapabilities]: { level: PRIVILEGE.user, handle: () => [0x00, 0x20, 0x20, 0x20, 0x20] },
  [CHASSIS.getStatus]: {
    level: PRIVILEGE.user,
    handle: (_, { bmc }) => {
      const isOn = bmc.shownPower;
      return [(bmc.restorePolicy << 5) | (isOn ? 0x01 : 0), 0x00, 0x40 | (bmc.light << 4), 0x00];
    },
  },
  [CHASSIS.control]: {
    level: PRIVILEGE.operator,
    least: 1,
    handle: (data, { bmc }) => {
      const action = ACTIONS[data[0]! & 0x0f];
      if (action === undefined) throw new Refusal(COMPLETION.invalidField);
      if (!bmc.chassis.isOn() && NEEDS_POWER.includes(action)) throw new Refusal(COMPLETION.notInThisState);
      bmc.control(action);
      return [];
    },
  },
  [CHASSIS.identify]: {
    level: PRIVILEGE.operator,
    handle: (data, { bmc }) => {
      const isForever = ((data[1] ?? 0) & 0x01) !== 0;
      const seconds = data[0] ?? 15;
      bmc.identify(isForever ? "on" : seconds === 0 ? "off" : { seconds });
      return [];
    },
  },
  [CHASSIS.setPowerRestorePolicy]: {
    level: PRIVILEGE.operator,
    least: 1,
    handle: (data, { bmc }) => {
      const policy = data[0]! & 0x07;
      // 3: only what there is to choose from.
      if (policy < 3) bmc.restorePolicy = policy;
      return [0x07];
    },
  },
  [CHASSIS.setSystemBootOptions]: {
    level: PRIVILEGE.operator,
    least: 1,
    handle: (data, { bmc }) => {
      const parameter = data[0]! & 0x7f;
      if (parameter === BOOT_PARAMETER.flags && bmc.faults.forgetsBoot?.() === true) {
        bmc.boot.forget();
        return [];
      }
      const written = bmc.boot.write(parameter, [...data.subarray(1)]);
      if (written === "busy") throw new Refusal(0x81);
      if (!written) throw new Refusal(0x80);
      if (parameter === BOOT_PARAMETER.flags)
        bmc.chassis.onBootFlags?.(decodeBootFlags(Uint8Array.from(bmc.boot.read(parameter)!)));
      return [];
    },
  },
  [CHASSIS.getSystemBootOptions]: {
    level: PRIVILEGE.operator,
    least: 1,
    handle: (data, { bmc }) => {
      const parameter = data[0]! & 0x7f;
      const value = bmc.boot.read(parameter);
      if (value === undefined) throw new Refusal(0x80);
      return [PARAMETER_VERSION, parameter, ...value];
    },
  },
};
