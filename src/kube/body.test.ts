import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";
import { parseJson, readLines, readWhole } from "./body.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function all(text: string, sizes: readonly number[] = [], limit = 1000): Promise<Json[]> {
  return await Array.fromAsync(readLines(cut(encode(text), sizes), limit));
}

test("property: lines and bodies are the same however they are cut", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  const values = fc.array(fc.jsonValue() as fc.Arbitrary<Json>, { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, sizes, async (list, cuts) => {
      const text = list.map((value) => `${JSON.stringify(value)}\n`).join("\n");
      assert.deepEqual(
        await all(text, cuts, 1 << 20),
        list.map((value) => JSON.parse(JSON.stringify(value)) as Json),
      );
      const whole = await readWhole(cut(encode(text), cuts), 1 << 20);
      assert.equal(new TextDecoder().decode(whole), text);
    }),
  );
});

test("a line that was cut off is dropped", async () => {
  assert.deepEqual(await all('{"a":1}\n{"b":'), [{ a: 1 }]);
});

test("what is too long is refused before it is kept", async () => {
  const isTooLarge = (error: unknown): boolean => Fault.is(error, "api.answer-too-large");
  await assert.rejects(all(`${"1".repeat(11)}\n`, [3], 10), isTooLarge);
  await assert.rejects(all("1".repeat(11), [3], 10), isTooLarge);
  assert.deepEqual(await all(`${"1".repeat(10)}\n2\n`, [3], 10), [1111111111, 2]);
  await assert.rejects(readWhole(cut(encode("12345"), [2]), 4), isTooLarge);
});

test("what is not JSON, or not UTF-8, is the peer's fault", () => {
  for (const bytes of [encode("{"), encode(""), Uint8Array.of(0x22, 0xff, 0x22)]) {
    assert.throws(
      () => parseJson(bytes),
      (error) => Fault.is(error, "api.malformed") && error.fault === "peer",
    );
  }
});
