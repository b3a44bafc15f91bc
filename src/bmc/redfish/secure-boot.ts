import { type SecureBoot, readSecureBoot } from "#wire/redfish/secure-boot.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import type { Resources } from "./resources.ts";

/** Fault `bmc.unsupported`: the service does not tell. */
export async function secureBoot(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<SecureBoot> {
  const path = await pathOfSecureBoot(resources, map, signal);
  return readSecureBoot((await resources.get(path, signal)).document);
}

/** From the next start on; resolves when reading back shows it. */
export async function setSecureBoot(resources: Resources, map: ServiceMap, on: boolean, signal: AbortSignal): Promise<void> {
  const path = await pathOfSecureBoot(resources, map, signal);
  const read = await resources.get(path, signal);
  const { isEnabled, settings = path } = readSecureBoot(read.document);
  if (isEnabled === on) return;
  await resources.patch(settings, { SecureBootEnable: on }, signal, settings === path ? read : undefined);
  const now = readSecureBoot((await resources.get(settings, signal)).document);
  if (now.isEnabled !== on)
    throw bmcFault("not-verified", `the BMC took it, and shows secure boot ${on ? "disabled" : "enabled"}`);
}

async function pathOfSecureBoot(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<string> {
  const { secureBoot: path } = readSystem((await resources.get(map.system, signal)).document);
  if (path === undefined) throw bmcFault("unsupported", "this BMC does not tell of secure boot");
  return path;
}
