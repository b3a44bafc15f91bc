import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Resources, WIDGETS, aWidget } from "./resources.ts";
import type { Answer } from "./resources.ts";

const names = ({ object }: Answer): string[] => object.items.map((item) => item.metadata.name!);
const token = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

async function withWidgets(...all: string[]): Promise<Resources> {
  const api = await Resources.create();
  for (const name of all) await api.post(WIDGETS, aWidget(name, { spec: { color: "red" } }, { labels: { initial: name[0]! } }));
  return api;
}

describe("get", () => {
  it("knows revisions it cannot know yet and ones that are none", async () => {
    const api = await withWidgets("a");
    assert.equal((await api.get(`${WIDGETS}/a?resourceVersion=2`)).status, 200);
    const future = await api.get(`${WIDGETS}/a?resourceVersion=3`);
    assert.deepEqual(future.object, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Timeout: Too large resource version: 3, current: 2",
      reason: "Timeout",
      details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 },
      code: 504,
    });
    assert.equal((await api.get(`${WIDGETS}/a?resourceVersion=x`)).status, 500);
    assert.equal((await api.get(`${WIDGETS}/b`)).object.message, 'widgets.example.com "b" not found');
  });

  it("knows which subresources there are", async () => {
    const api = await withWidgets("a");
    assert.equal((await api.get(`${WIDGETS}/a/status`)).status, 200);
    assert.equal((await api.get(`${WIDGETS}/a/nope`)).status, 404);
    assert.equal((await api.request("DELETE", `${WIDGETS}/a/status`)).status, 405);
    assert.equal(
      (await api.get("/api/v1/namespaces/default/configmaps/a/status")).object.message,
      "the server could not find the requested resource",
    );
  });
});

describe("list", () => {
  it("pages through one revision", async () => {
    const api = await withWidgets("a", "b", "c", "d", "e");
    const first = await api.get(`${WIDGETS}?limit=2`);
    await api.delete(`${WIDGETS}/c`);
    await api.post(WIDGETS, aWidget("bb"));
    const second = await api.get(`${WIDGETS}?limit=2&continue=${first.object.metadata.continue}`);
    const third = await api.get(`${WIDGETS}?limit=2&continue=${second.object.metadata.continue}`);
    assert.deepEqual([names(first), names(second), names(third)], [["a", "b"], ["c", "d"], ["e"]]);
    const metas = [first, second, third].map(({ object }) => ({
      ...object.metadata,
      continue: !!object.metadata.continue,
    }));
    assert.deepEqual(metas, [
      { resourceVersion: "6", continue: true, remainingItemCount: 3 },
      { resourceVersion: "6", continue: true, remainingItemCount: 1 },
      { resourceVersion: "6", continue: false },
    ]);
  });

  it("pages through all namespaces", async () => {
    const api = await withWidgets("a", "b");
    await api.post("/api/v1/namespaces", { metadata: { name: "other" } });
    for (const name of ["a", "b"]) await api.post("/apis/example.com/v1/namespaces/other/widgets", aWidget(name));
    const seen: string[] = [];
    let next = "";
    do {
      const { object } = await api.get(`/apis/example.com/v1/widgets?limit=1&continue=${next}`);
      seen.push(`${object.items[0]!.metadata.namespace}/${object.items[0]!.metadata.name}`);
      next = object.metadata.continue ?? "";
    } while (next !== "");
    assert.deepEqual(seen, ["default/a", "default/b", "other/a", "other/b"]);
  });

  it("pages through what matches, and does not count the rest", async () => {
    const api = await withWidgets("a1", "b1", "a2", "a3");
    const first = await api.get(`${WIDGETS}?limit=2&labelSelector=initial%3Da`);
    assert.deepEqual(names(first), ["a1", "a2"]);
    assert.equal("remainingItemCount" in first.object.metadata, false);
    const { continue: next } = first.object.metadata as { continue?: string };
    const second = await api.get(`${WIDGETS}?limit=2&labelSelector=initial%3Da&continue=${next}`);
    assert.deepEqual(names(second), ["a3"]);
  });

  it("lets a client go on when its list has expired", async () => {
    const api = await Resources.create({ store: { historyEvents: 1000 } });
    for (const name of ["a", "b", "c"]) await api.post(WIDGETS, aWidget(name));
    const { continue: next } = (await api.get(`${WIDGETS}?limit=1`)).object.metadata as { continue?: string };
    for (let i = 0; i < 1500; i++) await api.patch(`${WIDGETS}/b`, { spec: { any: { i } } });
    const expired = await api.get(`${WIDGETS}?limit=1&continue=${next}`);
    assert.deepEqual([expired.status, expired.object.reason], [410, "Expired"]);
    const fresh = expired.object.metadata.continue!;
    assert.deepEqual(names(await api.get(`${WIDGETS}?continue=${fresh}`)), ["b", "c"]);
    const exact = await api.get(`${WIDGETS}?resourceVersion=3&resourceVersionMatch=Exact`);
    assert.equal(exact.object.message, "The resourceVersion for the provided list is too old.");
  });

  it("answers with the revision asked for", async () => {
    const api = await withWidgets("a", "b");
    await api.delete(`${WIDGETS}/a`);
    const at = async (query: string): Promise<[string[], string | undefined]> => {
      const answer = await api.get(`${WIDGETS}?${query}`);
      return [names(answer), answer.object.metadata.resourceVersion];
    };
    assert.deepEqual(await at("resourceVersion=3&resourceVersionMatch=Exact"), [["a", "b"], "3"]);
    assert.deepEqual(await at("resourceVersion=3&limit=5"), [["a", "b"], "3"]);
    assert.deepEqual(await at("resourceVersion=3&resourceVersionMatch=NotOlderThan"), [["b"], "4"]);
    assert.deepEqual(await at("resourceVersion=3"), [["b"], "4"]);
    assert.deepEqual(await at("resourceVersion=0&limit=1"), [["b"], "4"]);
    assert.equal((await api.get(`${WIDGETS}?resourceVersion=5`)).status, 504);
  });

  it("selects", async () => {
    const api = await withWidgets("a1", "a2", "b1");
    await api.patch(`${WIDGETS}/a2`, { spec: { color: "blue" } });
    const by = async (query: string): Promise<string[]> => names(await api.get(`${WIDGETS}?${query}`));
    assert.deepEqual(await by("labelSelector=initial+in+(a)"), ["a1", "a2"]);
    assert.deepEqual(await by("fieldSelector=spec.color%3Dred"), ["a1", "b1"]);
    assert.deepEqual(await by("fieldSelector=spec.color!%3Dred"), ["a2"]);
    assert.deepEqual(await by("fieldSelector=metadata.name%3Db1"), ["b1"]);
    assert.deepEqual(await by("fieldSelector=metadata.name%3Db1&labelSelector=initial%3Da"), []);
    assert.deepEqual(await by("fieldSelector=metadata.name!%3Db1,metadata.namespace%3Ddefault"), ["a1", "a2"]);
  });

  const refused: [query: string, code: number, message: string][] = [
    ["labelSelector=a%20b", 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["fieldSelector=spec.size%3D1", 400, "field label not supported: spec.size"],
    ["limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      "resourceVersion=x",
      400,
      'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      "resourceVersionMatch=Exact",
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      "sendInitialEvents=true",
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    ["continue=!", 400, "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"],
    [
      `continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "../../secrets/x" })}`,
      400,
      "invalid continue token: continue key is not valid: ../../secrets/x",
    ],
    [
      `continue=${token({ v: "v0", rv: 1, start: "x" })}`,
      400,
      "invalid continue token: continue key is not valid: server does not recognize this encoded version v0",
    ],
    [
      `continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "/a" })}&resourceVersion=1`,
      400,
      "specifying resource version is not allowed when using continue",
    ],
    [
      "watch=true&sendInitialEvents=true",
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
  ];
  for (const [query, code, message] of refused) {
    it(`refuses ${query}`, async () => {
      const api = await Resources.create();
      const { status, object } = await api.get(`${WIDGETS}?${query}`);
      assert.deepEqual([status, object.message], [code, message]);
    });
  }
});
