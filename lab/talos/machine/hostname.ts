/** What a machine is called: by its configuration, the kernel's arguments, DHCP, or else a name that stays the same. */
import { hash } from "node:crypto";
import { argumentOf } from "#agent/steps/command-line.ts";
import { toLatin1 } from "#std/bytes.ts";
import type { Host } from "./host.ts";

export async function hostnameOf({ machine, line, identity }: Host, configured: string | undefined): Promise<string> {
  const kernel = toLatin1((await machine.read("/proc/sys/kernel/hostname")) ?? new Uint8Array()).trim();
  // What DHCP gave stands there; nothing else sets it.
  const given = kernel === "(none)" || kernel === "localhost" ? "" : kernel;
  const name = configured ?? argumentOf(line, "talos.hostname") ?? (given || stableName(identity.uuid + identity.macs.join()));
  const short = name.toLowerCase().split(".", 1)[0]!;
  await machine.run("hostname", [short]);
  return short;
}

/** `talos-abc-def`, from what names the machine. */
function stableName(seed: string): string {
  const text = BigInt(`0x${hash("sha256", seed, "hex").slice(0, 16)}`)
    .toString(36)
    .padStart(6, "0");
  return `talos-${text.slice(0, 3)}-${text.slice(3, 6)}`;
}
