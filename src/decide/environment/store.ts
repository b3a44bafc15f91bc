/** What may go from the asset store: what no Environment refers to and nobody has put there to stay. */
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { assetsOf, digestOf } from "./asset.ts";

/** What a download is of. */
export interface Wish {
  readonly url: string;
  readonly sha512: string | undefined;
}

/** Identifies a download, and its draft: `<sha512 or any> <url>`. */
export function wishKey({ url, sha512 = "any" }: Wish): string {
  return `${sha512} ${url}`;
}

export interface StoredName {
  readonly name: string;
  readonly sha512: string;
  readonly keep: boolean;
}

/** Everything in the store, and who wants it. */
export interface ObservedStore {
  readonly environments: readonly Environment[];
  readonly names: readonly StoredName[];
  /** Digests of the blobs. */
  readonly blobs: readonly string[];
  /** Keys of drafts, also those of no download. */
  readonly drafts: readonly string[];
  readonly downloads: readonly Wish[];
  /** When each item was first seen without a use, by what {@link itemKey} says; kept by whoever observes. */
  readonly unusedSince: ReadonlyMap<string, number>;
}

/** `cancel`: a download that is under way or waits to be tried again. */
export type StoreEffect =
  | { readonly do: "cancel"; readonly wish: Wish }
  | { readonly do: "forget"; readonly name: string }
  | { readonly do: "remove"; readonly sha512: string }
  | { readonly do: "discard"; readonly draft: string };

export type StoreItem = Exclude<StoreEffect, { readonly do: "cancel" }>;

export interface StoreDecision {
  readonly effects: readonly StoreEffect[];
  readonly again?: number;
}

/** Milliseconds for which what has no use is kept: an Environment that is made again soon finds its files. */
export const GRACE = 3_600_000;

export function itemKey(item: StoreItem): string {
  return JSON.stringify(Object.values(item));
}

/** What has no use now. */
export function unusedItems({ environments, names, blobs, drafts }: ObservedStore): StoreItem[] {
  const assets = environments.flatMap((environment) => assetsOf(environment).map((asset) => ({ environment, asset })));
  const urls = new Set(assets.map(({ asset }) => asset.url));
  const isUsedName = ({ name, keep }: StoredName): boolean => keep || urls.has(name);
  const digests = new Set([
    ...assets.map(({ environment, asset }) => digestOf(environment, asset)),
    ...names.filter(isUsedName).map(({ sha512 }) => sha512),
  ]);
  // With any digest: what an Environment waits for may be pinned meanwhile.
  const isUsedDraft = (draft: string): boolean => urls.has(draft.slice(draft.indexOf(" ") + 1));
  return [
    ...names.filter((name) => !isUsedName(name)).map(({ name }) => ({ do: "forget", name }) as const),
    ...blobs.filter((sha512) => !digests.has(sha512)).map((sha512) => ({ do: "remove", sha512 }) as const),
    ...drafts.filter((draft) => !isUsedDraft(draft)).map((draft) => ({ do: "discard", draft }) as const),
  ];
}

export function decideStore(observed: ObservedStore, now: number): StoreDecision {
  const assets = observed.environments.flatMap(assetsOf);
  const isWanted = (wish: Wish): boolean =>
    assets.some(({ url, sha512 = wish.sha512 }) => url === wish.url && sha512 === wish.sha512);
  const items = unusedItems(observed).map((item) => ({ item, due: (observed.unusedSince.get(itemKey(item)) ?? now) + GRACE }));
  const waits = items.filter(({ due }) => due > now).map(({ due }) => due - now);
  return {
    effects: [
      ...observed.downloads.filter((wish) => !isWanted(wish)).map((wish) => ({ do: "cancel", wish }) as const),
      ...items.filter(({ due }) => due <= now).map(({ item }) => item),
    ],
    ...(waits.length === 0 ? {} : { again: Math.min(...waits) }),
  };
}
