/** Every controller there is. */
import { createEnvironmentController } from "#controllers/environment/controller.ts";
import type { Downloads } from "#controllers/environment/downloads.ts";
import { createAssetStoreController } from "#controllers/environment/store.ts";
import { serverBindingController } from "#controllers/server-binding/controller.ts";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import type { Controller } from "#kube/controller.ts";

/** Where the files of Environments are. They outlive the controllers, which are made anew whenever this process leads again. */
export interface AssetPorts {
  readonly blobs: Blobs;
  readonly downloads: Downloads;
}

/** Fresh ones: some keep an index of what they have seen. Without asset ports (no network boot) nothing is downloaded. */
export function controllers(clock: Clock, assets: AssetPorts | undefined): Controller[] {
  const always = [createServerClassController(), serverBindingController] as Controller[];
  if (assets === undefined) return always;
  const { blobs, downloads } = assets;
  return [...always, createEnvironmentController(blobs, downloads), createAssetStoreController(blobs, downloads, clock)];
}
