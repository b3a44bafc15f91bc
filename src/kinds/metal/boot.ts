/** How a machine boots; the same choices on Server and ServerClass, in every version. */
import { enumeration } from "#schema/kit.ts";

export const BootFromDiskMethod = enumeration("", "ipxe-exit", "http-404", "ipxe-sanboot").doc(
  "How a machine that has booted over the network is sent on to its disk: ipxe-exit (leave iPXE, let the firmware go on), " +
    "http-404 (answer 404 so that iPXE gives up), ipxe-sanboot (iPXE boots the first disk itself). Empty: what the next wider " +
    "setting says (Server, ServerClass, the manager's default).",
);

export const PxeMode = enumeration("", "uefi", "bios").doc(
  "Firmware mode asked of the BMC when it is told to boot from the network once. Empty: the manager's default.",
);
