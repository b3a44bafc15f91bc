import assert from "node:assert/strict";
import { test } from "node:test";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { decideStore, GRACE, itemKey, type ObservedStore, type StoreItem, unusedItems, wishKey } from "./store.ts";

const NOW = Date.UTC(2030, 0, 1);
const digest = (letter: string): string => letter.repeat(128);

const environment: Environment = {
  apiVersion: "metal.sidero.dev/v1alpha2",
  kind: "Environment",
  metadata: { name: "e" },
  spec: { kernel: { url: "http://a/1", sha512: digest("A") }, initrd: { url: "http://a/2" } },
  status: { conditions: [{ url: "http://a/2", sha512: digest("b"), status: "True", type: "Ready" }] },
};

const observed: ObservedStore = {
  environments: [environment],
  names: [
    { name: "http://a/1", sha512: digest("c"), keep: false },
    { name: "http://old/1", sha512: digest("d"), keep: false },
    { name: "http://mine/1", sha512: digest("e"), keep: true },
  ],
  blobs: ["a", "b", "c", "d", "e", "f"].map(digest),
  drafts: [
    wishKey({ url: "http://a/2", sha512: undefined }),
    wishKey({ url: "http://old/1", sha512: digest("d") }),
    "copy of /x",
  ],
  downloads: [],
  unusedSince: new Map(),
};

test("what is wanted by digest, by status, by URL or by people stays", () => {
  assert.deepEqual(unusedItems(observed), [
    { do: "forget", name: "http://old/1" },
    { do: "remove", sha512: digest("d") },
    { do: "remove", sha512: digest("f") },
    { do: "discard", draft: `${digest("d")} http://old/1` },
    { do: "discard", draft: "copy of /x" },
  ] satisfies StoreItem[]);
});

test("what is not wanted goes after its grace, each in its own time", () => {
  const unused = unusedItems(observed);
  assert.deepEqual(decideStore(observed, NOW), { effects: [], again: GRACE });
  const since = new Map(unused.map((item, i) => [itemKey(item), NOW - GRACE + i - 1]));
  const decision = decideStore({ ...observed, unusedSince: since }, NOW);
  assert.deepEqual(decision, { effects: unused.slice(0, 2), again: 1 });
});

test("a download that nobody wants is cancelled; one for the wrong digest as well", () => {
  const wishes = [
    { url: "http://a/1", sha512: digest("a").toLowerCase() },
    { url: "http://a/1", sha512: digest("9") },
    { url: "http://a/1", sha512: undefined },
    { url: "http://a/2", sha512: undefined },
    { url: "http://a/2", sha512: digest("b") },
    { url: "http://old/1", sha512: undefined },
  ];
  const { effects } = decideStore({ ...observed, downloads: wishes }, NOW);
  assert.deepEqual(
    effects.map((effect) => effect.do === "cancel" && effect.wish),
    [wishes[1], wishes[2], wishes[5]],
  );
});
