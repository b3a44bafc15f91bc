/** Switching the machine (ComputerSystem.Reset). */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import type { PowerAction, PowerState } from "#decide/power.ts";
import { resetTypeOf } from "#wire/redfish/reset.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import type { Resources } from "./resources.ts";

/** Milliseconds that a machine may take to be off between the halves of a cycle, and between two looks. */
const OFF_TIME = 60_000;
const OFF_PAUSE = 2000;

export async function readPower(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<PowerState> {
  const { power } = readSystem((await resources.get(map.system, signal)).document);
  if (power === undefined) throw bmcFault("malformed", `${map.system} does not say whether it is on`);
  return power;
}

/** Resolves when the service has taken it, or says no because the machine already is as it should be. */
export async function command(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  action: PowerAction,
  signal: AbortSignal,
): Promise<void> {
  const type = map.reset && resetTypeOf(action, map.reset.allowed);
  if (type === undefined) {
    if (action === "cycle") return cycle(resources, map, clock, signal);
    const known = map.reset?.allowed.join(", ") ?? "";
    throw bmcFault("unsupported", `this BMC cannot do ${action}${known === "" ? "" : `: it knows ${known}`}`);
  }
  // A press of the power button starts a machine that is off.
  if (type === "PushPowerButton" && (await readPower(resources, map, signal)) === "off") return;
  try {
    await resources.post(map.reset!.target, { ResetType: type }, signal);
  } catch (error) {
    if (!Fault.is(error, "bmc.refused") && !Fault.is(error, "bmc.busy")) throw error;
    await despite(error, resources, map, clock, action, signal);
  }
}

/** What was refused may be so already; and what is off cannot be started anew, only on. */
async function despite(
  refusal: Fault,
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  action: PowerAction,
  signal: AbortSignal,
): Promise<void> {
  const power = await readPower(resources, map, signal);
  if (action === "on" ? power === "on" : power === "off") {
    if (action === "cycle" || action === "reset") await command(resources, map, clock, "on", signal);
    return;
  }
  throw refusal;
}

async function cycle(resources: Resources, map: ServiceMap, clock: Clock, signal: AbortSignal): Promise<void> {
  await command(resources, map, clock, "off", signal);
  const until = clock.monotonic() + OFF_TIME;
  while ((await readPower(resources, map, signal)) === "on") {
    if (clock.monotonic() > until) throw bmcFault("not-verified", `the machine is still on ${OFF_TIME / 1000} s after ForceOff`);
    await sleep(clock, OFF_PAUSE, signal);
  }
  await command(resources, map, clock, "on", signal);
}
