/** What the lab needs from elsewhere, brought by the scripts in tools/. */
import { homedir } from "node:os";
import { join } from "node:path";
import { bringImage, bringLab, bringTalos, locateIpxe, locateKubectl } from "../test/peers/locate.ts";

/** Where tools/image.sh puts the agent's kernel and initial RAM disk. */
export const IMAGE: string = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sidero/image/out");
/** Where tools/talos.sh puts what stands in for Talos. */
export const TALOS: string = join(IMAGE, "../../talos/out");

export interface Peers {
  readonly kubectl: string;
  readonly image: string;
  readonly programs: string;
}

let brought: Peers | undefined;
let talosBrought = false;

/** The folder of what stands in for Talos: `vmlinuz-amd64` and `initramfs-amd64.xz`. */
export function bringStandIn(): string {
  if (!talosBrought) bringTalos();
  talosBrought = true;
  return TALOS;
}

/** QEMU and all that, a kubectl (`KUBECTL` names another one), the agent's image and iPXE. Quick when all is there. */
export function bring(): Peers {
  if (brought === undefined) {
    bringLab();
    bringImage();
    brought = { kubectl: process.env["KUBECTL"] ?? locateKubectl("1.36"), image: IMAGE, programs: locateIpxe() };
  }
  return brought;
}
