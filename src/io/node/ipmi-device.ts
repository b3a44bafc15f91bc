/** The IPMI door on Linux: `/dev/ipmi0` of the module ipmi_devintf (Documentation/driver-api/ipmi.rst), by ioctls. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Fault } from "#std/fault.ts";
import type { OpenIpmiDevice } from "../ipmi-device.ts";
import { systemClock } from "./clock.ts";
import { createDevice } from "./ipmi/device.ts";
import { openSystem } from "./ipmi/system.ts";

/** Where device managers put it. */
const PATHS = ["/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"];
/** No such file; no such device: the driver found no BMC. */
const NONE = new Set(["ENOENT", "ENOTDIR", "ENODEV", "ENXIO"]);

export const openIpmiDevice: OpenIpmiDevice = async () => {
  for (const path of PATHS) {
    const file = await open(path, "r+").catch((cause: unknown) => absent(path, cause));
    if (file === undefined) continue;
    return createDevice({ fd: file.fd, system: openSystem(), clock: systemClock, release: () => file.close() });
  }
  return undefined;
};

function absent(path: string, cause: unknown): FileHandle | undefined {
  const code = String((cause as { code?: unknown }).code);
  if (NONE.has(code)) return undefined;
  throw new Fault("io.failed", `cannot open ${path}: ${code}`, { fault: "world", retry: "later", cause });
}
