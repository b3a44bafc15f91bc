/** What the installer puts on a disk, by the names that the image has for it below /installer. */
export const FILES = {
  kernel: "vmlinuz",
  /** Of the initial RAM disk, what follows the system. */
  start: "start.zst",
  /** GRUB's first sector, and what it loads. */
  bootSector: "boot.img",
  core: "core.img",
  systemdBoot: "systemd-bootx64.efi",
  makeFat: "mkfs.fat",
} as const;
