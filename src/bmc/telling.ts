/** What the flight recorder is told of a machine's power. */
import { formatBmcAddress } from "#decide/bmc-address.ts";
import type { BmcAddress } from "#decide/bmc-address.ts";
import type { BootDevice, BootOnce, PowerAction, PowerOperation, PowerState } from "#decide/power.ts";
import type { Sighting } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import { bootOf, starts } from "./operation.ts";
import { ACTION_TEXT } from "./settings.ts";

interface Whose {
  readonly machine: string;
  readonly address: BmcAddress;
  readonly clock: Clock;
}

const DEVICES: Readonly<Record<BootDevice, string>> = {
  pxe: "the network (PXE)",
  http: "a URL (UEFI HTTP boot)",
  disk: "its disk",
  cd: "a virtual CD",
};

/** Told just before the command is sent: whether it was taken shows in what is seen next. */
export function commandSighting(whose: Whose, operation: PowerOperation, action: PowerAction): Sighting {
  const begins = starts(action);
  const boot = begins ? bootOf(operation) : undefined;
  const from = boot === undefined ? "" : ` and start it from ${bootText(boot)}`;
  const why = operation.because === undefined ? "" : `: ${operation.because}`;
  return {
    of: { server: whose.machine },
    at: whose.clock.now(),
    what: "power.command",
    text: `its BMC (${formatBmcAddress(whose.address)}) was told to ${ACTION_TEXT[action]}${from}${why}`,
    ...(begins ? { begins } : {}),
  };
}

/** `took`: milliseconds since the BMC was told to; undefined: it was not. */
export function stateSighting({ machine, clock }: Whose, state: PowerState, took: number | undefined): Sighting {
  const text = `the BMC says that the machine is ${state}${took === undefined ? "; nobody has told it to" : ""}`;
  return {
    of: { server: machine },
    at: clock.now(),
    what: `power.${state}`,
    text,
    ...(took === undefined ? {} : { took }),
  };
}

function bootText({ device, firmware, url }: BootOnce): string {
  const where = url === undefined ? "" : ` ${url}`;
  return `${DEVICES[device]}${where}, ${firmware === "uefi" ? "UEFI" : "BIOS"}`;
}
