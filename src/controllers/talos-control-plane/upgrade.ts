/** Upgrades of machines as they run. */
import type { Seat } from "#decide/talos-control-plane/machine.ts";
import type { Acting } from "#kube/controller.ts";
import { credentialsFor, withMachine } from "./etcd.ts";
import type { Plane } from "./plane.ts";
import { planeKeyOf } from "./plane.ts";
import type { Talos } from "./ports.ts";

/** The machine pulls the installer, and starts anew by itself. */
export async function upgradeTalos(seat: Seat, installer: string, plane: Plane, talos: Talos, acting: Acting): Promise<void> {
  const credentials = await credentialsFor(plane, acting);
  await withMachine(seat, credentials, talos, (api) => api.upgrade({ image: installer }));
  talos.poke(planeKeyOf(plane));
}
