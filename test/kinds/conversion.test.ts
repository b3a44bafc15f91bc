import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { families } from "#kinds/index.ts";
import { CONVERSION_DATA } from "#schema/conversion.ts";
import { convert } from "#schema/family.ts";
import type { Family, Older } from "#schema/family.ts";
import type { Kind } from "#schema/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { clone, isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { objectOf } from "../arbitrary/object.ts";

const RUNS = 150 * Number(process.env["SCALE"] ?? 1);

function bodyOf({ apiVersion: _a, kind: _k, metadata: _m, ...body }: KubeObject): JsonObject {
  return body as JsonObject;
}

/** Without the annotation that carries what was lost. */
function bare(object: KubeObject): KubeObject {
  const { [CONVERSION_DATA]: _data, ...annotations } = object.metadata.annotations ?? {};
  const { annotations: _annotations, ...metadata } = object.metadata;
  return { ...object, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
}

/** The object with some of its parts taken from another of its kind: what somebody might make of it. */
function edited(object: KubeObject, other: KubeObject, choices: boolean[]): KubeObject {
  let next = 0;
  const choose = () => choices[next++ % choices.length]!;
  const mix = (a: Json, b: Json): Json => {
    if (isObject(a) && isObject(b)) {
      const mixed: JsonObject = {};
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        const [mine, theirs] = [a[key], b[key]];
        const value = mine !== undefined && theirs !== undefined ? mix(mine, theirs) : choose() ? theirs : mine;
        if (value !== undefined) mixed[key] = value;
      }
      return mixed;
    }
    if (Array.isArray(a) && Array.isArray(b) && choose()) return [...b, ...a].slice(choose() ? 0 : 1);
    return choose() ? b : a;
  };
  const mixed = mix(bodyOf(clone(object)), bodyOf(clone(other)));
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata, ...(mixed as JsonObject) };
}

const pairs: [Family, Older][] = families.flatMap((family) => family.older.map((version): [Family, Older] => [family, version]));

for (const [family, version] of pairs) {
  const [hub, old] = [family.storage, version.kind];
  const ways: [Kind, Kind][] = [
    [hub, old],
    [old, hub],
  ];
  describe(`${hub.kind}, ${hub.version} and ${old.version}`, () => {
    for (const [from, to] of ways) {
      test(`${from.version} → ${to.version} → ${from.version} loses nothing`, () => {
        const property = fc.property(objectOf(from), (object) => {
          const before = clone(object);
          const there = convert(family, object, to.version);
          assert.equal(there.apiVersion, to.apiVersion);
          assert.deepEqual(object, before, "the argument was changed");
          assert.deepEqual(convert(family, there, from.version), object);
        });
        fc.assert(property, { numRuns: RUNS });
      });

      test(`what is edited as ${to.version} survives ${from.version}`, () => {
        const choices = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
        const property = fc.property(objectOf(from), objectOf(to), choices, (object, other, choice) => {
          const change = edited(convert(family, object, to.version), other, choice);
          const back = convert(family, convert(family, clone(change), from.version), to.version);
          assert.deepEqual(bare(back), bare(change));
        });
        fc.assert(property, { numRuns: RUNS });
      });
    }

    test("conversions settle after one round", () => {
      const { up, down } = version;
      const downs = fc.property(objectOf(hub), (object) => {
        const once = down(bodyOf(object));
        assert.deepEqual(down(up(once)), once);
      });
      const ups = fc.property(objectOf(old), (object) => {
        const once = up(bodyOf(object));
        assert.deepEqual(up(down(once)), once);
      });
      fc.assert(downs, { numRuns: RUNS });
      fc.assert(ups, { numRuns: RUNS });
    });
  });
}
