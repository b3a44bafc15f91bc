/** Which ResetType (DSP0268 Resource) carries out an action, by what the service allows. */
import type { PowerAction } from "./word.ts";

/**
 * In order of preference. A push of the power button is an orderly shutdown where the machine is on and its system listens (ACPI); nothing
 * else would do for one that was asked for orderly. A warm restart is no substitute for a hard one: a hung system ignores it.
 */
const TYPES: Readonly<Record<PowerAction, readonly string[]>> = {
  on: ["On", "ForceOn"],
  off: ["ForceOff"],
  "soft-off": ["GracefulShutdown", "PushPowerButton"],
  cycle: ["PowerCycle", "FullPowerCycle"],
  reset: ["ForceRestart"],
};

/** What to assume of a service that does not say what it allows. */
const USUAL = ["On", "ForceOff", "GracefulShutdown", "ForceRestart"];

/** Undefined: the service cannot do that in one step. `allowed` empty: it does not say. */
export function resetTypeOf(action: PowerAction, allowed: readonly string[]): string | undefined {
  const possible = allowed.length === 0 ? USUAL : allowed;
  return TYPES[action].find((type) => possible.includes(type));
}

/** What can be asked for, in one step or, for cycle, as off and on. */
export function actionsOf(allowed: readonly string[]): PowerAction[] {
  const isDirect = (action: PowerAction): boolean => resetTypeOf(action, allowed) !== undefined;
  return (Object.keys(TYPES) as PowerAction[]).filter(
    (action) => isDirect(action) || (action === "cycle" && isDirect("on") && isDirect("off")),
  );
}
