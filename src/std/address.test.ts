import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from "./address.ts";
import { fromHex, fromLatin1, readUint, toHex, toLatin1, uintBytes } from "./bytes.ts";
import { formatUuid, parseUuid, swapUuid } from "./uuid.ts";

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((value) => Uint8Array.from(value));
}

test("IPv6 texts are those of RFC 5952 §4", () => {
  const canonical = [
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8::A", "2001:db8::a"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ] as const;
  for (const [text, expected] of canonical) assert.equal(formatIpv6(parseIpv6(text)!), expected, text);
});

test("texts that are no address", () => {
  const wrong6 = ["", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2::3", "12345::", "g::", "1.2.3.4", "1.2.3.4::", "::1.2.3", ":1:2:3:4:5:6:7", "fe80::1%eth0"]; // prettier-ignore
  for (const text of wrong6) assert.equal(parseIpv6(text), undefined, text);
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.-4"])
    assert.equal(parseIpv4(text), undefined, text);
  for (const text of ["", "52:54:00:12:34", "52:54-00:12:34:56", "5254.0012.3456", "52:54:00:12:34:5g"])
    assert.equal(parseMac(text), undefined, text);
});

test("parsing undoes formatting", () => {
  fc.assert(
    fc.property(bytes(16), fc.nat(16), fc.nat(16), (value, from, to) => {
      const holed = value.fill(0, from, to);
      assert.deepEqual(parseIpv6(formatIpv6(holed)), holed);
      assert.deepEqual(parseIpv4(formatIpv4(holed)), holed.slice(0, 4));
      assert.deepEqual(parseMac(formatMac(holed.slice(0, 6))), holed.slice(0, 6));
      assert.deepEqual(parseUuid(formatUuid(holed)), holed);
      assert.deepEqual(swapUuid(swapUuid(holed)), holed);
      assert.deepEqual(fromHex(toHex(holed)), holed);
      assert.deepEqual(fromLatin1(toLatin1(holed)), holed);
      assert.equal(toHex(uintBytes(readUint(holed, 0, 6), 6)), toHex(holed.subarray(0, 6)));
    }),
  );
});

test("UUIDs in EFI's order", () => {
  const efi = fromHex("33221100554477668899aabbccddeeff")!;
  assert.equal(formatUuid(swapUuid(efi)), "00112233-4455-6677-8899-aabbccddeeff");
  assert.equal(parseUuid("00112233-4455-6677-8899-aabbccddeef"), undefined);
  assert.equal(parseUuid("g0112233-4455-6677-8899-aabbccddeeff"), undefined);
});

test("latin-1 has no character past U+00FF, hexadecimal no odd digit", () => {
  assert.equal(fromLatin1("€"), undefined);
  assert.equal(fromHex("abc"), undefined);
  assert.equal(fromHex("0x"), undefined);
});
