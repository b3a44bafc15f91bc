/** The asset store: what no Environment wants any more stops being downloaded, and goes after a while. */
import { decideStore, itemKey, type ObservedStore, type StoreEffect, unusedItems } from "#decide/environment/store.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { type Controller, controller, on } from "#kube/controller.ts";
import { Fault } from "#std/fault.ts";
import type { Downloads } from "./downloads.ts";

/** There is one store; no Environment can have this name. */
const KEY = "(store)";
/** Milliseconds in which many changes become one look. */
const SETTLE = 1000;

export function createAssetStoreController(
  blobs: Blobs,
  downloads: Downloads,
  clock: Clock,
): Controller<Environment, ObservedStore, StoreEffect> {
  let unusedSince: ReadonlyMap<string, number> = new Map();
  return controller({
    name: "asset-store",
    kind: Environment,
    reads: [on(Environment, () => [KEY])],
    writes: [],
    always: [KEY],
    settle: () => SETTLE,
    listen: (wake) => blobs.onChange(() => wake(KEY)),
    async observe(reader) {
      const observed: ObservedStore = {
        environments: [...reader.of(Environment).values()],
        names: await blobs.names(),
        blobs: (await blobs.list()).map(({ sha512 }) => sha512),
        drafts: await blobs.drafts(),
        downloads: downloads.wishes(),
        unusedSince,
      };
      unusedSince = new Map(unusedItems(observed).map((item) => [itemKey(item), unusedSince.get(itemKey(item)) ?? clock.now()]));
      return { ...observed, unusedSince };
    },
    decide: decideStore,
    act: (effect) => act(effect, blobs, downloads),
  });
}

async function act(effect: StoreEffect, blobs: Blobs, downloads: Downloads): Promise<void> {
  switch (effect.do) {
    case "cancel":
      downloads.cancel(effect.wish);
      return;
    case "forget":
      await blobs.forget(effect.name);
      return;
    case "remove":
      await blobs.remove(effect.sha512);
      return;
    case "discard":
      try {
        await blobs.discard(effect.draft);
      } catch (error) {
        // Somebody has begun to write it again.
        if (!Fault.is(error, "io.busy")) throw error;
      }
  }
}
