/** The Environment that machines boot when nobody says otherwise. */
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { parseTalosVersion, talosArgs } from "./talos-args.ts";

/** It is made when missing; one that is there is never changed. */
export const DEFAULT_ENVIRONMENT = "default";

/** What the default Environment boots. */
export const TALOS_RELEASE = "v1.13.9";

const RELEASES = "https://github.com/siderolabs/talos/releases/download";
/** The name iPXE gives the initial RAM disk; under UEFI the kernel looks for it by this argument. */
const INITRD = "initrd=initramfs.xz";

/** Upstream's for that release, sorted as there, and the same for arm64. */
export function defaultEnvironmentSpec(release: string = TALOS_RELEASE): NonNullable<Environment["spec"]> {
  const talos = talosArgs(parseTalosVersion(release)!);
  const args = (...more: string[]): string[] => [...talos, INITRD, "console=tty0", ...more].toSorted();
  const url = (file: string): string => `${RELEASES}/${release}/${file}`;
  return {
    kernel: { url: url("vmlinuz-amd64"), args: args("console=ttyS0", "earlyprintk=ttyS0") },
    initrd: { url: url("initramfs-amd64.xz") },
    arm64: {
      kernel: { url: url("vmlinuz-arm64"), args: args("console=ttyAMA0") },
      initrd: { url: url("initramfs-arm64.xz") },
    },
  };
}
