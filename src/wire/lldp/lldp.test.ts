import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";

const PACKET = {
  chassis: "00:1b:21:aa:bb:cc",
  port: "Ethernet1/7",
  timeToLive: 120,
  portDescription: "rack 4, node 7",
  systemName: "leaf-4a",
  systemDescription: "switch OS 1.2",
  managementAddress: "10.0.0.4",
  vlan: 42,
};
const SOURCE = "00:1b:21:aa:bb:01";

/** Put together by hand from the standard. */
const FRAME = `0180c200000e001b21aabb0188cc${"0207 04 001b21aabbcc"}${"040c 07 45746865726e6574312f37"}${"0602 0078"}${"fe06 0080c2 01 002a"}${"0000"}`;

test("a frame by the standard is read, padding and all", () => {
  const packet = decode(fromHex(`${FRAME.replaceAll(" ", "")}${"00".repeat(20)}`)!);
  assert.deepEqual([packet.chassis, packet.port, packet.timeToLive, packet.vlan], ["00:1b:21:aa:bb:cc", "Ethernet1/7", 120, 42]);
  assert.equal(packet.systemName, undefined);
});

test("what is written is read back", () => {
  assert.deepEqual(decode(encode(PACKET, SOURCE)), PACKET);
  const other = { ...PACKET, chassis: "leaf", port: "fd00::1", managementAddress: "fd00::4", vlan: undefined };
  assert.deepEqual(decode(encode(other, SOURCE)), other);
  assert.throws(() => encode({ ...PACKET, systemName: "x".repeat(600) }, SOURCE), { code: "lldp.unencodable" });
});

test("every cut and every change gives a packet or a peer's fault", () => {
  const frame = encode(PACKET, SOURCE);
  const attempt = (bytes: Uint8Array): void => {
    try {
      decode(bytes);
    } catch (error) {
      assert.ok(Fault.is(error) && error.fault === "peer" && typeof error.facts["offset"] === "number", String(error));
    }
  };
  for (let length = 0; length < frame.length; length++) attempt(frame.subarray(0, length));
  for (let at = 0; at < frame.length; at++) for (const bit of [1, 2, 64, 128, 255]) attempt(frame.with(at, frame[at]! ^ bit));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(new Uint8Array([...frame.subarray(0, 14), ...bytes]))),
  );
});
