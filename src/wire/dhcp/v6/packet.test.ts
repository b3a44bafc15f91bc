import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../../../test/vectors/dhcp/captures.json" with { type: "json" };
import { fromHex, fromLatin1, toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { clientOf, macOfLinkLocal } from "./client.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { Message, Packet } from "./packet.ts";

const SOLICIT = vectors.captures6[0]!;

/** RFC 8415 §8: type, transaction, options in hex. */
function message(options: string): Uint8Array {
  return fromHex(`01000001${options}`)!;
}

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    assert.ok(Fault.is(error), String(error));
    return error;
  }
  assert.fail("no fault");
}

test("what OVMF solicits", () => {
  assert.deepEqual(decode(fromHex(SOLICIT.hex)!), {
    kind: "message",
    type: "solicit",
    transactionId: 0x0fe0cc,
    options: {
      clientId: { kind: "uuid", uuid: fromHex("33221100554477668899aabbccddeeff") },
      elapsedTime: 0,
      iaNa: [{ id: 0x53937e7f, t1: Infinity, t2: Infinity, options: {} }],
      requestedOptions: [59, 60, 23, 16],
      clientInterface: { type: 1, major: 3, minor: 0 },
      clientArchitectures: [7],
      vendorClasses: [{ enterprise: 343, classes: ["PXEClient:Arch:00007:UNDI:003000"] }],
    },
  });
});

test("an advertisement through a relay, byte for byte", () => {
  const packet: Packet = {
    kind: "relay",
    type: "relay-reply",
    hopCount: 1,
    linkAddress: "2001:db8::",
    peerAddress: "fe80::1",
    message: {
      kind: "message",
      type: "advertise",
      transactionId: 0x0fe0cc,
      options: {
        serverId: { kind: "link-layer", htype: 1, address: fromHex("525400000001")! },
        iaNa: [
          {
            id: 1,
            t1: 1_000_000,
            t2: 2_000_000,
            options: {
              addresses: [{ address: "2001:db8::5", preferredLifetime: 3_000_000, validLifetime: Infinity, options: {} }],
              status: { code: 0, message: "ok" },
            },
          },
        ],
        rapidCommit: true,
        bootFileUrl: "http://[2001:db8::1]/x",
        bootFileParameters: ["a", "bc"],
      },
    },
    options: { interfaceId: Uint8Array.of(0xe1) },
  };
  const iaNa = [
    "0003" + "0030" + "00000001" + "000003e8" + "000007d0",
    "0005" + "0018" + "20010db8000000000000000000000005" + "00000bb8" + "ffffffff",
    "000d" + "0004" + "0000" + "6f6b",
  ].join("");
  const url = toHex(fromLatin1("http://[2001:db8::1]/x")!);
  const inner = `020fe0cc${"0002000a00030001525400000001"}${iaNa}${"000e0000"}003b0016${url}${"003c0007000161" + "00026263"}`;
  const size = (inner.length / 2).toString(16).padStart(4, "0");
  const hex = `0d0120010db8000000000000000000000000fe800000000000000000000000000001${"00120001e1"}0009${size}${inner}`;
  assert.equal(toHex(encode(packet)), hex);
  assert.deepEqual(decode(fromHex(hex)!), packet);
});

test("relays nest up to their bound", () => {
  const inner: Message = { kind: "message", type: "solicit", transactionId: 1, options: {} };
  const around = (count: number): Packet => {
    return Array.from({ length: count }).reduce<Packet>(
      (message) => ({
        kind: "relay",
        type: "relay-forward",
        hopCount: 0,
        linkAddress: "::",
        peerAddress: "::",
        options: {},
        message,
      }),
      inner,
    );
  };
  assert.deepEqual(decode(encode(around(32))), around(32));
  const fault = faultOf(() => decode(encode(around(33))));
  assert.deepEqual([fault.code, fault.facts["offset"]], ["dhcp.too-deep", 32 * 38]);
});

test("wrong bytes are named", () => {
  const relay = `0c00${"00".repeat(32)}`;
  const wrong: [string, string, number][] = [
    ["", "dhcp.truncated", 0],
    ["0100", "dhcp.truncated", 2],
    ["ff000001", "dhcp.not-dhcp", 0],
    ["00000001", "dhcp.not-dhcp", 0],
    ["01000001" + "0008000200", "dhcp.truncated", 4],
    ["01000001" + "000e0000" + "0008", "dhcp.truncated", 8],
    ["01000001" + "000100010a", "dhcp.malformed", 4],
    ["01000001" + "0003000c" + "00".repeat(12) + "0003000b" + "00".repeat(11), "dhcp.malformed", 20],
    ["01000001" + "000100030001aa" + "000100030001aa", "dhcp.malformed", 11],
    [relay, "dhcp.malformed", 0],
    [relay.slice(0, -2), "dhcp.truncated", 33],
    [`${relay}00090004ee000001`, "dhcp.not-dhcp", 38],
    [`${relay}0009000801000001000e0001`, "dhcp.truncated", 42],
  ];
  for (const [hex, code, offset] of wrong) {
    const fault = faultOf(() => decode(fromHex(hex)!));
    assert.deepEqual([fault.code, fault.fault, fault.facts["offset"]], [code, "peer", offset], `${hex}: ${fault.message}`);
  }
  assert.equal(faultOf(() => decode(new Uint8Array(8193))).code, "dhcp.too-long");
});

test("options of no weight are set aside when wrong, unknown ones kept", () => {
  const read = decode(message("0007000101" + "000700020102" + "fde80001aa"));
  assert.deepEqual(read.options, { preference: 1 });
  assert.deepEqual(read.others, [{ code: 65000, value: Uint8Array.of(0xaa) }]);
  assert.deepEqual(
    read.malformed?.map(({ code, offset }) => [code, offset]),
    [[7, 9]],
  );
});

test("kinds of DUID", () => {
  const kinds = [
    "00010001000000055254000000010a",
    "000200000009aa",
    "00030001525400000001",
    "000400112233445566778899aabbccddeeff",
    "0004aabb",
    "0063aa",
  ].map((duid) => {
    const bytes = message(`0001${(duid.length / 2).toString(16).padStart(4, "0")}${duid}`);
    const read = decode(bytes) as Message;
    assert.equal(toHex(encode(read)), toHex(bytes));
    return read.options.clientId?.kind;
  });
  assert.deepEqual(kinds, ["link-layer-time", "enterprise", "link-layer", "uuid", "other", "other"]);
});

test("what a client says of itself", () => {
  const packet = decode(fromHex(SOLICIT.hex)!) as Message;
  const { client } = clientOf(packet, SOLICIT.source);
  assert.deepEqual(client.uuid, {
    text: "00112233-4455-6677-8899-aabbccddeeff",
    swapped: "33221100-5544-7766-8899-aabbccddeeff",
  });
  assert.deepEqual([client.program, client.architecture?.name, client.mac], ["pxe", "x64 UEFI", "52:54:00:12:34:56"]);

  const asIpxe: Message = { ...packet, options: { ...packet.options, userClasses: ["iPXE"] } };
  assert.equal(clientOf(asIpxe, "::").client.program, "ipxe");
  assert.equal(clientOf(asIpxe, "::").client.uuid?.swapped, "00112233-4455-6677-8899-aabbccddeeff");

  const relayed: Packet = {
    kind: "relay",
    type: "relay-forward",
    hopCount: 0,
    linkAddress: "2001:db8::",
    peerAddress: "fe80::aaaa",
    message: packet,
    options: { interfaceId: Uint8Array.of(1), clientLinkLayer: fromHex("0001525400abcdef")! },
  };
  const far = clientOf({ ...relayed, hopCount: 1, linkAddress: "2001:db8:1::", message: relayed, options: {} }, "2001:db8:1::1");
  assert.deepEqual(far.client.relay, { address: "2001:db8::", circuitId: Uint8Array.of(1) });
  assert.equal(far.client.mac, "52:54:00:ab:cd:ef");
  assert.equal(far.message, packet);
});

test("a link-local address made from a MAC tells it", () => {
  assert.equal(macOfLinkLocal("fe80::5054:ff:fe12:3456%eth0"), "52:54:00:12:34:56");
  assert.equal(macOfLinkLocal("fe80::1"), undefined);
  assert.equal(macOfLinkLocal("2001:db8::5054:ff:fe12:3456"), undefined);
  assert.equal(macOfLinkLocal("nonsense"), undefined);
});
