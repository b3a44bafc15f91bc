/** How a machine ends: it starts again, or is off; what is on its disk is written before. */
import type { Host } from "./host.ts";
import { EPHEMERAL } from "./volumes.ts";

export type Ending = "reboot" | "halt";

/** Does not come back. */
export async function end({ machine, say }: Host, how: Ending): Promise<never> {
  say(how === "reboot" ? "rebooting" : "powering off");
  await machine.run("sync", []);
  for (const target of [EPHEMERAL, "/run/state", "/run/boot"]) await machine.run("umount", [target]);
  await (how === "reboot" ? machine.reboot() : machine.powerOff());
  return new Promise(() => {});
}
