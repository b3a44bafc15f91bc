/** Which Talos a configuration is for, as far as it says. */
import type { Json } from "#std/json.ts";
import type { MachineConfig } from "../document/document.ts";
import { at, v1alpha1Of } from "../document/document.ts";

/** The tag of an installer: `ghcr.io/siderolabs/installer:v1.13.4`, also with a digest. */
const TAG = /:v1\.(\d{1,3})(?:\.[0-9A-Za-z.+-]*)?(?:@|$)/;
/** Documents that Talos 1.12 brought, and writes into each configuration that it makes (facts §5.5). */
const OF_12: ReadonlySet<string> = new Set(["HostnameConfig", "ResolverConfig", "TimeSyncConfig"]);

/** The minor version of Talos 1; undefined where nothing tells. */
export function minorIn(config: MachineConfig): number | undefined {
  const legacy = at(v1alpha1Of(config)?.value ?? {}, "machine", "install", "image");
  const unattended = config.documents.find(({ identity }) => identity.kind === "UnattendedInstallConfig");
  const tagged = [legacy, at(unattended?.value ?? {}, "installer", "image")].map(minorOf).find((minor) => minor !== undefined);
  return tagged ?? (config.documents.some(({ identity }) => OF_12.has(identity.kind)) ? 12 : undefined);
}

function minorOf(image: Json | undefined): number | undefined {
  const minor = typeof image === "string" ? TAG.exec(image)?.[1] : undefined;
  return minor === undefined ? undefined : Number(minor);
}
