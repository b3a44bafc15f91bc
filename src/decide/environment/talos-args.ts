/** The kernel arguments that Talos Linux wants on metal, by version: those its imager puts on images. */
import type { BootArchitecture } from "#decide/boot/asker.ts";

export interface TalosVersion {
  readonly major: number;
  readonly minor: number;
}

/** `v1.13.9`, also with a pre-release after it; undefined for anything else. */
export function parseTalosVersion(text: string): TalosVersion | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})\.\d{1,4}(?:[-+][0-9A-Za-z.+-]+)?$/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

/** Each argument with the first and the last 1.x that has it; of the imager's DefaultArgs and its metal platform. */
const ARGUMENTS: readonly { readonly arg: string; readonly from?: number; readonly to?: number }[] = [
  { arg: "talos.platform=metal" },
  { arg: "init_on_alloc=1", to: 13 },
  // Talos refuses to boot without it, and when it has a value.
  { arg: "slab_nomerge" },
  { arg: "pti=on" },
  { arg: "consoleblank=0" },
  { arg: "nvme_core.io_timeout=4294967295", to: 13 },
  { arg: "printk.devkmsg=on" },
  { arg: "ima_template=ima-ng", to: 10 },
  { arg: "ima_appraise=fix", to: 10 },
  { arg: "ima_hash=sha512", to: 10 },
  { arg: "selinux=1", from: 10 },
  { arg: "module.sig_enforce=1", from: 12 },
  { arg: "proc_mem.force_override=never", from: 13 },
];

/**
 * The defaults of that Talos, without consoles. Versions before 1.0 are treated as 1.0, later majors as the newest 1.x known.
 *
 * Source: siderolabs/talos `pkg/machinery/kernel`, `pkg/machinery/imager/quirks`, `pkg/machinery/platforms`, v1.7 to v1.14.
 */
export function talosArgs({ major, minor }: TalosVersion): string[] {
  const at = major === 1 ? minor : major > 1 ? Infinity : 0;
  return ARGUMENTS.filter(({ from = 0, to = Infinity }) => from <= at && at <= to).map(({ arg }) => arg);
}

/** The consoles of an image for metal: since 1.8 the serial one of amd64 is left to those who have it. */
export function talosConsoles({ major, minor }: TalosVersion, architecture: BootArchitecture): string[] {
  if (architecture === "arm64") return ["console=ttyAMA0", "console=tty0"];
  return major < 1 || (major === 1 && minor <= 7) ? ["console=ttyS0", "console=tty0"] : ["console=tty0"];
}
