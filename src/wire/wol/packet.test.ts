import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, toHex } from "#std/bytes.ts";
import { decodeMagic, encodeMagic } from "./packet.ts";

test("a magic packet is six bytes of ones and sixteen times the address", () => {
  const bytes = encodeMagic("52:54:00:12:34:56");
  assert.equal(toHex(bytes), `ffffffffffff${"525400123456".repeat(16)}`);
  assert.equal(decodeMagic(bytes), "52:54:00:12:34:56");
});

test("a card finds it anywhere, and nothing else", () => {
  const bytes = encodeMagic("02-FF-00-00-FF-FF");
  assert.equal(decodeMagic(concat([new Uint8Array([0xff, 1]), bytes, new Uint8Array(9)])), "02:ff:00:00:ff:ff");
  for (let length = 0; length < bytes.length; length++) assert.equal(decodeMagic(bytes.subarray(0, length)), undefined);
  assert.equal(decodeMagic(bytes.with(60, 0)), undefined);
});

test("what is no address is refused", () => {
  assert.throws(() => encodeMagic("52:54:00:12:34"), { code: "wol.unencodable" });
});
