import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { assetsFor, assetsOf, digestOf, distinctAssets, kernelArgs, unreadiness } from "./asset.ts";
import { decideEnvironment, type DownloadState, type ObservedFile } from "./environment.ts";
import { sizeText } from "./words.ts";

const NOW = Date.UTC(2030, 0, 1);
const A = "a".repeat(128);
const B = "b".repeat(128);
const URLS = ["", "http://a/1", "http://a/2"];

type Spec = NonNullable<Environment["spec"]>;

function environment(spec: Spec, conditions: NonNullable<Environment["status"]>["conditions"] = []): Environment {
  return { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Environment", metadata: { name: "e" }, spec, status: { conditions } };
}

const files = (more: object = {}): Spec => ({ kernel: { url: "http://a/1", ...more }, initrd: { url: "http://a/2" } });

test("kernel arguments of an architecture: its own, else those of amd64", () => {
  const common = environment({ kernel: { args: ["a"] }, arm64: { kernel: {} } });
  assert.deepEqual([kernelArgs(common, "amd64"), kernelArgs(common, "arm64")], [["a"], ["a"]]);
  const own = environment({ kernel: { args: ["a"] }, arm64: { kernel: { args: [] } } });
  assert.deepEqual([kernelArgs(own, "amd64"), kernelArgs(own, "arm64")], [["a"], []]);
  assert.deepEqual(kernelArgs(environment({}), "amd64"), []);
});

test("which bytes a file has: the spec's digest, else what its condition says when it is true", () => {
  const [kernel] = assetsFor(environment(files({ sha512: "A".repeat(128) })), "amd64");
  assert.equal(digestOf(environment(files()), kernel!), A);
  const condition = { url: "http://a/1", type: "Ready", sha512: B } as const;
  const [open] = assetsFor(environment(files()), "amd64");
  assert.equal(digestOf(environment(files(), [{ ...condition, status: "True" }]), open!), B);
  assert.equal(digestOf(environment(files(), [{ ...condition, status: "False" }]), open!), undefined);
  // Upstream's, which checked nothing.
  assert.equal(digestOf(environment(files(), [{ ...condition, sha512: "", status: "True" }]), open!), undefined);
});

test("readiness by architecture, in words", () => {
  const ready = (url: string, sha512 = B) => ({ url, sha512, type: "Ready", status: "True" }) as const;
  const both = [ready("http://a/1"), ready("http://a/2")];
  assert.equal(unreadiness(environment(files(), both), "amd64"), undefined);
  assert.match(
    unreadiness(environment(files(), both), "arm64")!,
    /"e" has nothing for arm64 machines \(spec\.arm64 is not set\)/,
  );
  assert.match(unreadiness(environment({ kernel: {} }), "amd64")!, /"e" has no spec\.kernel\.url/);
  assert.match(unreadiness(environment(files()), "amd64")!, /"e" is not ready: vmlinuz: it has not been looked at yet/);
  const failed = { ...ready("http://a/2"), status: "False", message: "the server answers 404" } as const;
  assert.match(unreadiness(environment(files(), [both[0]!, failed]), "amd64")!, /initramfs\.xz: the server answers 404/);
  // The spec has changed, the status not yet.
  assert.match(unreadiness(environment(files({ sha512: A }), both), "amd64")!, /vmlinuz/);
});

test("sizes in words", () => {
  const texts = [0, 999, 1000, 1024, 20_000_000, 2 ** 32, 2 ** 45].map(sizeText);
  assert.deepEqual(texts, ["0 B", "999 B", "1.0 KiB", "1.0 KiB", "19.1 MiB", "4.0 GiB", "32768 GiB"]);
});

const fault = (code: string): Fault => new Fault(code, `it is ${code}`, { fault: "peer", retry: "later" });

test("a failed download is begun again when its time has come", () => {
  const one = environment({ ...files(), initrd: { url: "http://a/1" } });
  const [asset] = distinctAssets(one);
  const at = (next: number | undefined): ReturnType<typeof decideEnvironment> => {
    const download: DownloadState = { is: "failed", because: fault("io.refused"), failures: 3, next };
    return decideEnvironment(
      { name: "e", environment: one, files: [{ asset: asset!, pinned: undefined, size: undefined, isNamed: false, download }] },
      NOW,
    );
  };
  const starts = ({ effects }: ReturnType<typeof at>): boolean => effects.some((effect) => effect.do === "download");
  assert.deepEqual([starts(at(NOW)), starts(at(NOW + 5000)), starts(at(undefined))], [true, false, false]);
  assert.equal(at(NOW + 5000).again, 5000);
  const told = at(NOW + 5000).effects.flatMap((effect) => (effect.do === "tell" ? [effect.message] : []));
  assert.deepEqual(told, ["spec.kernel: it is io.refused"], "the same text at each attempt: one Event");
  assert.match(
    at(NOW + 5000).status!.conditions[0]!.message!,
    /it is io\.refused \(3 times in a row\); trying again at 2030-01-01T00:00:05Z/,
  );
});

const arbitraryDownload: fc.Arbitrary<DownloadState | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant<DownloadState>({ is: "waiting" }),
  fc.record({ is: fc.constant("running" as const), bytes: fc.nat(), size: fc.option(fc.nat(), { nil: undefined }) }),
  fc.record({
    is: fc.constant("failed" as const),
    because: fc.constantFrom("io.checksum", "io.url", "io.no-space", "io.refused").map(fault),
    failures: fc.integer({ min: 1, max: 9 }),
    next: fc.option(fc.integer({ min: NOW - 1000, max: NOW + 1000 }), { nil: undefined }),
  }),
);
const part = fc.record({ url: fc.constantFrom(...URLS), sha512: fc.constantFrom(A, B, "", "x") }, { requiredKeys: [] });
const arbitrarySpec = fc.record(
  { kernel: part, initrd: part, arm64: fc.record({ kernel: part, initrd: part }, { requiredKeys: [] }) },
  { requiredKeys: [] },
);

test("after the effects nothing is left to do, and what is ready has its bytes", () => {
  const known = fc.record({
    pin: fc.constantFrom(undefined, A, B),
    size: fc.option(fc.nat(), { nil: undefined }),
    isNamed: fc.boolean(),
    download: arbitraryDownload,
  });
  fc.assert(
    fc.property(arbitrarySpec, fc.array(known, { minLength: 4, maxLength: 4 }), (spec, facts) => {
      const before = environment(spec);
      const observed = distinctAssets(before).map((asset, i): ObservedFile => {
        const { pin, size, isNamed, download } = facts[i]!;
        const pinned = asset.sha512 ?? pin;
        return { asset, pinned, size: pinned === undefined ? undefined : size, isNamed, download };
      });
      const first = decideEnvironment({ name: "e", environment: before, files: observed }, NOW);
      const after = environment(spec, first.status!.conditions);
      const begun = new Set(first.effects.flatMap((effect) => (effect.do === "download" ? [effect.url] : [])));
      const next = observed.map((file): ObservedFile => ({
        ...file,
        isNamed: true,
        ...(begun.has(file.asset.url) && file.size === undefined ? { download: { is: "waiting" } } : {}),
      }));
      const second = decideEnvironment({ name: "e", environment: after, files: next }, NOW + 1);
      assert.deepEqual(
        second.effects.filter((effect) => effect.do !== "download" || !begun.has(effect.url)).filter(isNotDue(next, NOW + 1)),
        [],
      );
      for (const [i, condition] of first.status!.conditions.entries()) {
        assert.equal(
          condition.status === "True",
          observed[i]!.size !== undefined && observed[i]!.asset.url !== "" && isDigest(observed[i]!),
        );
        if (condition.status === "True") assert.equal(condition.sha512, observed[i]!.pinned);
      }
      for (const asset of assetsOf(after)) {
        const digest = digestOf(after, asset);
        if (digest !== undefined && asset.sha512 === undefined)
          assert.ok(observed.some((file) => file.pinned === digest && file.size !== undefined));
      }
    }),
  );
});

function isDigest({ asset }: ObservedFile): boolean {
  return asset.sha512 === undefined || asset.sha512.length === 128;
}

/** Downloads whose time has come in the millisecond between two decisions. */
function isNotDue(observed: readonly ObservedFile[], now: number): (effect: { do: string; url?: string }) => boolean {
  return (effect) =>
    effect.do !== "download" ||
    !observed.some(
      ({ asset, download }) => asset.url === effect.url && download?.is === "failed" && (download.next ?? now + 1) <= now,
    );
}
