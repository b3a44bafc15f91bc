/** What the TFTP server has: the boot programs, and the script that iPXE looks for beside the program it was started from. */
import type { Programs } from "../programs.ts";
import type { TftpFiles } from "./transfers.ts";

export interface TftpFilesOptions {
  readonly programs: Pick<Programs, "get">;
  /** The boot script (`#!ipxe …`, ASCII) for machines that reach us at this address. */
  readonly script: (local: string) => string;
}

/** `autoexec.ipxe` is asked for by iPXE of 2023 and later that UEFI started; the other name is in many a DHCP server's recipe. */
const SCRIPTS: ReadonlySet<string> = new Set(["autoexec.ipxe", "boot.ipxe"]);

/** iPXE itself, under upstream's names and those of its own build. */
const IPXE = /^(undionly\.k?kpxe(\.0)?|(ipxe|snp|snponly)(-\w+)?\.efi|ipxe\.(pxe|lkrn))$/;

/**
 * Serves the programs and the script. An iPXE that asks for iPXE again gets the script in its place: the site's DHCP server gives everyone
 * the same file name, and without this the machine would load iPXE for ever, unless that server is taught about user classes or
 * the program has a script built in. iPXE knows a script by its content, whatever its name.
 */
export function createTftpFiles({ programs, script }: TftpFilesOptions): TftpFiles {
  const encoder = new TextEncoder();
  return (name, { local, isIpxe }) => {
    if (SCRIPTS.has(name) || (isIpxe && IPXE.test(name))) return encoder.encode(script(local));
    return programs.get(name)?.bytes;
  };
}
