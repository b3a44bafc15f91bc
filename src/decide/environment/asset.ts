/** Which files an Environment consists of, and which of them a machine may be given. */
import type { BootArchitecture } from "#decide/boot/asker.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";

/** The names files have in `/env/<environment>/…`, as upstream's; the initial RAM disk has this one however it is compressed. */
export const ASSET_FILES = ["vmlinuz", "initramfs.xz"] as const;
export type AssetFile = (typeof ASSET_FILES)[number];

export const BOOT_ARCHITECTURES = ["amd64", "arm64"] as const satisfies readonly BootArchitecture[];

/** One file as the spec asks for it. */
export interface WantedAsset {
  readonly architecture: BootArchitecture;
  readonly file: AssetFile;
  /** Where it stands: `spec.arm64.kernel`. */
  readonly field: string;
  /** "" when it is not set. */
  readonly url: string;
  /** Lower case, not checked for being one; undefined: whatever is downloaded first. */
  readonly sha512: string | undefined;
}

export type AssetCondition = NonNullable<NonNullable<Environment["status"]>["conditions"]>[number];

/** The files of one architecture; none when the Environment is not for it. */
export function assetsFor({ spec }: Environment, architecture: BootArchitecture): WantedAsset[] {
  const part = architecture === "amd64" ? (spec ?? {}) : spec?.arm64;
  if (part === undefined) return [];
  const prefix = architecture === "amd64" ? "spec" : `spec.${architecture}`;
  const wanted = (file: AssetFile, name: "kernel" | "initrd"): WantedAsset => {
    const { url = "", sha512 = "" } = part[name] ?? {};
    return { architecture, file, field: `${prefix}.${name}`, url, sha512: sha512 === "" ? undefined : sha512.toLowerCase() };
  };
  return [wanted("vmlinuz", "kernel"), wanted("initramfs.xz", "initrd")];
}

/** The files of all architectures. */
export function assetsOf(environment: Environment): WantedAsset[] {
  return BOOT_ARCHITECTURES.flatMap((architecture) => assetsFor(environment, architecture));
}

/** The kernel arguments for a machine of that architecture, as the spec has them. */
export function kernelArgs({ spec }: Environment, architecture: BootArchitecture): readonly string[] {
  const own = architecture === "amd64" ? undefined : spec?.[architecture]?.kernel?.args;
  return own ?? spec?.kernel?.args ?? [];
}

/** The files of all architectures, those that are wanted twice once. */
export function distinctAssets(environment: Environment): WantedAsset[] {
  const seen = new Set<string>();
  return assetsOf(environment).filter((asset) => !seen.has(keyOf(asset)) && seen.add(keyOf(asset)));
}

/** The condition that speaks of the file: they are in the order of {@link distinctAssets}, where a URL may be with two checksums. */
export function conditionOf(environment: Environment, asset: WantedAsset): AssetCondition | undefined {
  const isSameUrl = ({ url }: { url?: string }): boolean => url === asset.url;
  const index = distinctAssets(environment)
    .filter(isSameUrl)
    .findIndex((each) => keyOf(each) === keyOf(asset));
  return environment.status?.conditions?.filter(isSameUrl)[index];
}

function keyOf({ url, sha512, field }: WantedAsset): string {
  return url === "" ? field : JSON.stringify([url, sha512]);
}

/**
 * The SHA-512 of the bytes a machine gets for this file: the spec's, else that of what was downloaded first. Undefined as long as
 * nobody knows.
 */
export function digestOf(environment: Environment, asset: WantedAsset): string | undefined {
  if (asset.sha512 !== undefined) return asset.sha512;
  const condition = conditionOf(environment, asset);
  return condition?.status === "True" && condition.sha512 !== "" ? condition.sha512 : undefined;
}

/**
 * Why the Environment cannot boot a machine of that architecture yet, as a sentence that may follow "waiting: "; undefined when its
 * status says that all files are there.
 */
export function unreadiness(environment: Environment, architecture: BootArchitecture): string | undefined {
  const name = `environment "${environment.metadata.name ?? ""}"`;
  const assets = assetsFor(environment, architecture);
  if (assets.length === 0) return `${name} has nothing for ${architecture} machines (spec.${architecture} is not set)`;
  for (const asset of assets) {
    if (asset.url === "") return `${name} has no ${asset.field}.url`;
    const condition = conditionOf(environment, asset);
    if (condition?.status === "True" && digestOf(environment, asset) === condition.sha512) continue;
    return `${name} is not ready: ${asset.file}: ${condition?.message ?? "it has not been looked at yet"}`;
  }
  return undefined;
}
