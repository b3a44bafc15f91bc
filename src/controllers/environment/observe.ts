import { conditionOf, distinctAssets, type WantedAsset } from "#decide/environment/asset.ts";
import { type ObservedEnvironment, type ObservedFile } from "#decide/environment/environment.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { Downloads } from "./downloads.ts";

/** The Environment, and what is on the disk and under way for each of its files. Checks files that have not been read since the start. */
export async function observeEnvironment(
  blobs: Blobs,
  downloads: Downloads,
  name: string,
  environment: Environment | undefined,
): Promise<ObservedEnvironment> {
  if (environment === undefined) return { name, environment, files: [] };
  const files = distinctAssets(environment).map(async (asset): Promise<ObservedFile> => {
    const named = asset.url === "" ? undefined : await blobs.named(asset.url);
    const pinned = asset.sha512 ?? pinOf(environment, asset, named);
    const blob = pinned === undefined ? undefined : await blobs.find(pinned);
    const download = downloads.stateOf({ url: asset.url, sha512: pinned });
    return { asset, pinned, size: blob?.size, isNamed: named !== undefined, download };
  });
  return { name, environment, files: await Promise.all(files) };
}

/** What people have imported goes before what the status says was downloaded first, and that before what this disk remembers. */
function pinOf(
  environment: Environment,
  asset: WantedAsset,
  named: { readonly sha512: string; readonly keep: boolean } | undefined,
): string | undefined {
  const condition = conditionOf(environment, asset);
  const said = condition?.status === "True" && condition.sha512 !== "" ? condition.sha512 : undefined;
  return named?.keep === true ? named.sha512 : (said ?? named?.sha512);
}
