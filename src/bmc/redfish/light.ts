/** The light that shows which machine it is. */
import { type Clock, sleep } from "#io/clock.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import type { Resources } from "./resources.ts";

const LOOKS = 5;

export async function identify(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  on: boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let look = 1; ; look++) {
    const read = await resources.get(map.system, signal);
    const { light } = readSystem(read.document);
    if (light === undefined) throw bmcFault("unsupported", "this machine has no light that its BMC could switch");
    if (light.isOn === on) return;
    if (look === LOOKS) throw bmcFault("not-verified", `the BMC took it, and shows the light ${light.isOn ? "on" : "off"}`);
    if (look === 1) {
      const value = light.property === "IndicatorLED" ? (on ? "Lit" : "Off") : on;
      try {
        await resources.patch(map.system, { [light.property]: value }, signal, read);
      } catch (error) {
        // Some lights only blink.
        if (light.property !== "IndicatorLED" || !on) throw error;
        await resources.patch(map.system, { IndicatorLED: "Blinking" }, signal, read);
      }
    } else await sleep(clock, 1000, signal);
  }
}
