/** What Events say of power: upstream's words where it had any. */
import { meansOf } from "./action.ts";
import type { Action, Machine } from "./machine.ts";

export function reachedText({ wanted }: Machine, action: Action): string {
  const means = meansOf(action);
  const by = means.by === "bmc" ? "" : means.by === "agent" ? " by its agent" : " by Wake-on-LAN";
  const isOn = means.by === "bmc" && means.verb === "on";
  const began = isOn ? "powered on" : means.by === "wake" ? "woken" : means.by === "agent" ? "rebooted" : "power cycled";
  const once = means.by === "bmc" ? ` and set to PXE boot once (${wanted.firmware})` : "";
  switch (action.do) {
    case "boot-agent":
      return `Server ${began}${once} for wiping${by}.`;
    case "boot-environment":
      return `Server ${began}${once} into the environment${by}.`;
    case "power-off":
      return `Server powered off${by}.`;
    case "identify":
      return "Server identifies itself.";
    default:
      return `Server ${began}${by}.`;
  }
}

export function failedText(action: Action, message: string): string {
  return `Failed: ${action.do}: ${message}`;
}

/** How people tell a machine's life cycle to do something. */
export function requestCommand(name: string, verb: string): string {
  return `kubectl annotate --overwrite server ${name} metal.sidero.dev/request="${verb} $(date +%s)"`;
}
