/** A board behind IPMI: what it can do to the machine, and its faults as the protocol has them. */
import type { BootOnce } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";
import type { BootFlags } from "#wire/ipmi/chassis/boot.ts";
import { BOOT_SELECTOR } from "#wire/ipmi/chassis/boot.ts";
import type { Board } from "./board.ts";
import type { ChassisAction, SimulatedIpmiOptions } from "./ipmi/options.ts";

export function ipmiOptions(board: Board, clock: Clock, entropy: Entropy): Omit<SimulatedIpmiOptions, "send"> {
  const { faults, machine, uuid, serial, manufacturer, model } = board;
  return {
    clock,
    entropy,
    crypto: systemCrypto,
    guid: swapUuid(parseUuid(uuid)!),
    users: [{ name: board.user, password: board.password }],
    lan: { address: board.address, mac: MAC },
    product: { manufacturer, name: model, serial },
    chassis: {
      isOn: () => machine.power === "on",
      control: (action) => board.command(ACTIONS[action]),
      identify: (on) => board.setLight(on),
      onBootFlags: (flags) => board.note(bootOf(flags)),
    },
    faults: {
      incoming: () => (faults.hangs ? { lost: true } : undefined),
      outgoing: () => (faults.late > 0 ? { late: faults.late } : undefined),
      powerLie: (isOn) => (faults.lies === undefined ? isOn : faults.lies === "on"),
      isFull: () => faults.isFull,
    },
  };
}

/** Of its network interface; nobody asks for it by name. */
const MAC = "02:00:00:00:00:01";
const ACTIONS = {
  on: "on",
  off: "off",
  cycle: "cycle",
  reset: "reset",
  diagnostic: "reset",
  "soft-off": "soft-off",
} as const satisfies Record<ChassisAction, string>;

/** What firmware makes of the flags. */
export function bootOf({ isValid, device, efi }: BootFlags): BootOnce | undefined {
  if (!isValid || device === BOOT_SELECTOR.none) return undefined;
  const from = device === BOOT_SELECTOR.pxe ? "pxe" : device === BOOT_SELECTOR.disk ? "disk" : "cd";
  return { device: from, firmware: efi ? "uefi" : "bios" };
}
