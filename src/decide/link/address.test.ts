import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { formatUuid } from "#std/uuid.ts";
import { addressOf, networkOf, readAddress, withLength } from "./address.ts";
import type { Sha256 } from "./address.ts";

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest();
const uuids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatUuid);
const network = networkOf("an installation", sha256);
const none = (): boolean => false;

test("the networks of the empty installation id are upstream's", () => {
  assert.equal(networkOf("", sha256).cidr, "fdae:41e4:649b:9303::/64");
  assert.equal(networkOf("", sha256).server, "fdae:41e4:649b:9303::1");
  assert.equal(networkOf("", sha256, "virtual").cidr, "fdae:41e4:649b:9304::/64");
});

test("installations have networks of their own", () => {
  assert.match(network.cidr, /^fd[0-9a-f:]+03::\/64$/);
  assert.notEqual(network.cidr, networkOf("another installation", sha256).cidr);
});

test("a machine always has the same address, in the network, never the server's, and it reads back", () => {
  fc.assert(
    fc.property(uuids, fc.string(), (uuid, id) => {
      const own = networkOf(id, sha256);
      const address = addressOf(own, uuid, sha256, none);
      assert.equal(address, addressOf(own, uuid.toUpperCase(), sha256, none));
      assert.notEqual(address, own.server);
      assert.equal(readAddress(own, withLength(address)), address);
      assert.equal(readAddress(own, `${address}/128`), address);
    }),
  );
});

test("an address that another machine has is passed over", () => {
  const uuid = "00112233-4455-6677-8899-aabbccddeeff";
  const first = addressOf(network, uuid, sha256, none);
  const second = addressOf(network, uuid, sha256, (address) => address === first);
  assert.notEqual(second, first);
  assert.equal(readAddress(network, second), second);
});

test("a hash that comes out as a reserved address is passed over", () => {
  const low = (data: Uint8Array): Uint8Array => new Uint8Array(32).with(7, data.at(-1)!);
  assert.equal(
    addressOf(network, "00112233-4455-6677-8899-aabbccddeeff", low, none),
    readAddress(network, network.server.replace(/1$/, "2")),
  );
});

test("what is no address of a machine in this network", () => {
  const foreign = addressOf(networkOf("x", sha256), "00112233-4455-6677-8899-aabbccddeeff", sha256, none);
  const inside = network.server.replace(/1$/, "7");
  for (const text of ["", "10.0.0.1", network.server, network.cidr, foreign, `${inside}/48`, `${inside}/64/64`, `${inside}%eth0`])
    assert.equal(readAddress(network, text), undefined, text);
  assert.throws(
    () => addressOf(network, "no-uuid", sha256, none),
    (fault) => Fault.is(fault, "decide.link"),
  );
});
