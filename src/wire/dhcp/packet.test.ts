/** Golden vectors in both directions, and the rules that a vector shows best. */
import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../../test/vectors/dhcp/captures.json" with { type: "json" };
import { concat, fromHex, fromLatin1, toHex, uintBytes } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { Packet } from "./packet.ts";
import { decodePxe, DISCOVERY, encodePxe } from "./pxe.ts";

function capture(name: string): Uint8Array {
  return fromHex(vectors.captures.find((entry) => entry.name === name)!.hex)!;
}

/** A header with MAC 52:54:00:12:34:56 and transaction 1, then these options in hex. */
function message(options: string, fields: { file?: string; sname?: string } = {}): Uint8Array {
  const bytes = new Uint8Array(240 + options.length / 2);
  bytes.set(fromHex("0101060000000001")!);
  bytes.set(fromHex("525400123456")!, 28);
  bytes.set(fromHex(fields.sname ?? "")!, 44);
  bytes.set(fromHex(fields.file ?? "")!, 108);
  bytes.set(fromHex("63825363")!, 236);
  bytes.set(fromHex(options)!, 240);
  return bytes;
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

function hexOf(text: string): string {
  return toHex(fromLatin1(text)!);
}

const OFFER: Packet = {
  op: "reply",
  htype: 1,
  hops: 0,
  xid: 0x1959ef4b,
  secs: 4,
  flags: 0x8000,
  ciaddr: "0.0.0.0",
  yiaddr: "0.0.0.0",
  siaddr: "192.0.2.1",
  giaddr: "0.0.0.0",
  chaddr: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
  sname: "",
  file: "undionly.kpxe",
  options: {
    messageType: "offer",
    serverId: "192.0.2.1",
    vendorClass: "PXEClient",
    vendorSpecific: Uint8Array.of(6, 1, 8, 255),
    clientUuid: fromHex("33221100554477668899aabbccddeeff")!,
  },
};

/** The offer of a proxy as RFC 2131 figure 1 and PXE 2.1 §2.4.3 lay it out, written down by hand. */
const OFFER_HEX = [
  "02010600" + "1959ef4b" + "00048000",
  "00000000" + "00000000" + "c0000201" + "00000000",
  "52540012345600000000000000000000",
  "00".repeat(64),
  hexOf("undionly.kpxe") + "00".repeat(128 - 13),
  "63825363",
  "350102" + "2b04060108ff" + "3604c0000201" + "3c09" + hexOf("PXEClient") + "61110033221100554477668899aabbccddeeff" + "ff",
].join("");

test("a proxy's offer, byte for byte, padded to BOOTP's length", () => {
  const golden = OFFER_HEX.padEnd(600, "0");
  assert.equal(toHex(encode(OFFER)), golden);
  assert.deepEqual(decode(fromHex(golden)!), OFFER);
});

test("what iPXE's option ROM says", () => {
  const { options, others, malformed, ...header } = decode(capture("ipxe-rom-bios-discover"));
  assert.deepEqual(header, { ...without(OFFER), op: "request", flags: 0, siaddr: "0.0.0.0", file: "" });
  assert.equal(others, undefined);
  assert.equal(malformed, undefined);
  const { ipxe, parameterRequestList, ...rest } = options;
  assert.deepEqual(rest, {
    messageType: "discover",
    maxMessageSize: 1472,
    vendorClass: "PXEClient:Arch:00000:UNDI:002001",
    clientId: fromHex("01525400123456"),
    userClass: { classes: ["iPXE"], isBare: true },
    clientArchitectures: [0],
    clientInterface: { type: 1, major: 2, minor: 1 },
    clientUuid: fromHex("33221100554477668899aabbccddeeff"),
  });
  assert.equal(parameterRequestList?.length, 23);
  assert.deepEqual(
    ipxe?.slice(0, 2).map(({ code, value }) => [code, toHex(value)]),
    [
      [177, "011af41000"],
      [235, "010000"],
    ],
  );
});

function without({ options: _options, ...header }: Packet): Omit<Packet, "options"> {
  return header;
}

test("every capture reads without oddities", () => {
  for (const { name, hex } of vectors.captures) {
    const packet = decode(fromHex(hex)!);
    assert.equal(packet.malformed, undefined, name);
    assert.equal(packet.others, undefined, name);
    assert.deepEqual(decode(encode(packet, 1500)), packet, name);
  }
  assert.deepEqual(decode(capture("ovmf-pxe-request")).options.maxMessageSize, 65280);
  assert.equal(decode(capture("u-boot-efi-request")).file, "boot.scr.uimg");
  assert.equal(decode(capture("qemu-offer")).options.leaseTime, 86_400_000);
});

test("unknown options are kept, padding is passed over, a missing End is forgiven", () => {
  const { options, others } = decode(message("00350101" + "0000" + "e003010203"));
  assert.deepEqual(options, { messageType: "discover" });
  assert.deepEqual(others, [{ code: 224, value: Uint8Array.of(1, 2, 3) }]);
  assert.equal(decode(message("350101ff0c")).options.hostName, undefined);
});

test("instances of an option are joined in order, also over file and sname (RFC 3396)", () => {
  const joined = decode(
    message(`350101340103${"0c02"}${hexOf("ab")}ff`, { file: `0c02${hexOf("cd")}ff`, sname: `0c01${hexOf("e")}ff` }),
  );
  assert.equal(joined.options.hostName, "abcde");
  assert.equal(joined.file, "");
  assert.equal(joined.sname, "");
});

test("a long option is divided into full instances", () => {
  const bytes = encode(
    { ...OFFER, options: { messageType: "offer" }, others: [{ code: 224, value: new Uint8Array(300).fill(7) }] },
    1500,
  );
  assert.equal(toHex(bytes.subarray(240)), `350102e0ff${"07".repeat(255)}e02d${"07".repeat(45)}ff`);
});

test("what has no room in the options field goes to file, then sname; the relay's option stays, last", () => {
  const relayAgent = [{ code: 1, value: new Uint8Array(100).fill(1) }];
  const options = {
    messageType: "offer",
    hostName: "h".repeat(150),
    message: "m".repeat(90),
    bootFile: "b".repeat(50),
    relayAgent,
  } as const;
  const packet = { ...OFFER, file: "", options };
  const bytes = encode(packet, 576);
  assert.deepEqual(decode(bytes), packet);
  const end = bytes.lastIndexOf(255);
  assert.equal(toHex(bytes.subarray(end - 104, end - 100)), "52660164");
  assert.equal(toHex(bytes.subarray(end - 107, end - 104)), "340103");
  assert.deepEqual([bytes[108], bytes[44]], [56, 67]);
});

test("a reply that cannot fit says so and names the option", () => {
  const fault = faultOf(() =>
    encode({ ...OFFER, options: { messageType: "offer" }, others: [{ code: 224, value: new Uint8Array(700) }] }),
  );
  assert.deepEqual([fault.code, fault.fault, fault.facts["field"]], ["dhcp.no-room", "caller", "option 224"]);
});

test("values without a wire form are the caller's fault", () => {
  const wrong: [Packet, string][] = [
    [{ ...OFFER, xid: 2 ** 32 }, "xid"],
    [{ ...OFFER, siaddr: "192.0.2.256" }, "siaddr"],
    [{ ...OFFER, file: "f".repeat(128) }, "file"],
    [{ ...OFFER, chaddr: new Uint8Array(17) }, "chaddr"],
    [{ ...OFFER, options: { routers: [] } }, "routers"],
    [{ ...OFFER, options: { bootFile: "€" } }, "bootFile"],
    [{ ...OFFER, options: { leaseTime: -1 } }, "leaseTime"],
    [{ ...OFFER, others: [{ code: 52, value: Uint8Array.of(1) }] }, "others"],
    [{ ...OFFER, others: [{ code: 53, value: Uint8Array.of(1) }] }, "option 53"],
  ];
  for (const [packet, field] of wrong) {
    const fault = faultOf(() => encode(packet));
    assert.deepEqual([fault.code, fault.fault, fault.facts["field"]], ["dhcp.unencodable", "caller", field]);
  }
});

test("wrong bytes are named", () => {
  const bootp = message("");
  bootp.fill(0, 236, 240);
  const wrong: [Uint8Array, string, number][] = [
    [new Uint8Array(), "dhcp.truncated", 0],
    [message("").subarray(0, 239), "dhcp.truncated", 239],
    [Uint8Array.from(message(""), (byte, at) => (at === 0 ? 3 : byte)), "dhcp.not-dhcp", 0],
    [Uint8Array.from(message(""), (byte, at) => (at === 2 ? 17 : byte)), "dhcp.malformed", 2],
    [bootp, "dhcp.not-dhcp", 236],
    [message("350101" + "0c05aa"), "dhcp.truncated", 243],
    [message("350101" + "0c"), "dhcp.truncated", 243],
    [message("350101" + "340104"), "dhcp.malformed", 243],
    [message("350101" + "340101", { file: `0c7f${"aa".repeat(126)}` }), "dhcp.truncated", 108],
    [message("3501ff"), "dhcp.malformed", 240],
    [message("350101" + "3203c00002"), "dhcp.malformed", 243],
    [new Uint8Array(8193), "dhcp.too-long", 8192],
  ];
  for (const [bytes, code, offset] of wrong) {
    const fault = faultOf(() => decode(bytes));
    assert.deepEqual([fault.code, fault.fault, fault.facts["offset"]], [code, "peer", offset], fault.message);
  }
});

test("a wrong value of an option that nothing rests on is set aside with its reason", () => {
  const { options, malformed } = decode(message("350101" + "6100" + "5d03000700" + "0c0161" + "ff"));
  assert.deepEqual(options, { messageType: "discover", hostName: "a" });
  assert.deepEqual(malformed, [
    { code: 93, value: Uint8Array.of(0, 7, 0), offset: 245, problem: malformed?.[0]?.problem },
    { code: 97, value: new Uint8Array(), offset: 243, problem: malformed?.[1]?.problem },
  ]);
  assert.match(malformed[0]!.problem, /option 93 \(clientArchitectures\) has 3 bytes/);
});

test("the forms that options have", () => {
  const options = [
    "350101",
    `4d09${"04"}${hexOf("iPXE")}${"03"}${hexOf("lab")}`,
    `0c04${hexOf("ab")}0000`,
    "3304ffffffff",
    // RFC 3397 §2's example: the second name points into the first.
    `771b${"03656e67056170706c6503636f6d00"}${"096d61726b6574696e67c004"}`,
    // RFC 3442: bits past the prefix are cleared.
    "790c" + "0cac1f01020304" + "00c0000201" + "ff",
  ].join("");
  const { options: read } = decode(message(options));
  assert.deepEqual(read, {
    messageType: "discover",
    userClass: { classes: ["iPXE", "lab"], isBare: false },
    hostName: "ab",
    leaseTime: Infinity,
    domainSearch: ["eng.apple.com", "marketing.apple.com"],
    classlessRoutes: [
      { destination: "172.16.0.0", prefixLength: 12, router: "1.2.3.4" },
      { destination: "0.0.0.0", prefixLength: 0, router: "192.0.2.1" },
    ],
  });
});

test("compressed names cannot loop or grow without bound", () => {
  for (const name of ["c000", "01610161c002", "0161c001", "c0"]) {
    const { options, malformed } = decode(message(`77${toHex(uintBytes(name.length / 2, 1))}${name}ff`));
    assert.equal(options.domainSearch, undefined, name);
    assert.equal(malformed?.[0]?.code, 119, name);
  }
  const label = `3f${"61".repeat(63)}`;
  const long = `${label.repeat(3)}00`;
  const bomb = concat([fromHex(long)!, ...Array.from({ length: 1500 }, () => Uint8Array.of(0xc0, 0))]);
  const instances = Array.from({ length: Math.ceil(bomb.length / 255) }, (_, i) => {
    const part = bomb.subarray(255 * i, 255 * (i + 1));
    return `77${toHex(Uint8Array.of(part.length))}${toHex(part)}`;
  });
  assert.equal(decode(message(instances.join(""))).malformed?.[0]?.code, 119);
});

test("PXE's own options, byte for byte", () => {
  const options = {
    discoveryControl: DISCOVERY.noMulticast | DISCOVERY.bootFileInOffer,
    discoveryAddress: "224.0.1.2",
    bootServers: [
      { type: 0, addresses: [] },
      { type: 0x8000, addresses: ["192.0.2.1", "192.0.2.2"] },
    ],
    bootMenu: [{ type: 0x8000, description: "Go" }],
    menuPrompt: { timeout: 10, prompt: "F8" },
    bootItem: { type: 0x8000, layer: 0 },
  };
  const hex = [
    "06010a" + "0704e0000102",
    "080e" + "000000" + "800002c0000201c0000202",
    "0905" + "8000024" + "76f",
    "0a030a4638",
    "470480000000",
    "ff",
  ].join("");
  assert.equal(toHex(encodePxe(options)), hex);
  assert.deepEqual(decodePxe(fromHex(hex)!), { options });
  assert.deepEqual(
    decodePxe(fromHex("0a00" + "0805000102c000" + "4001aa")!).malformed?.map(({ code }) => code),
    [8, 10],
  );
  assert.equal(faultOf(() => decodePxe(fromHex("060108" + "0a09")!)).facts["offset"], 3);
});

test("the packet shares no memory with the datagram", () => {
  const bytes = capture("ovmf-pxe-discover");
  const packet = decode(bytes);
  const before = structuredClone(packet);
  bytes.fill(0xaa);
  assert.deepEqual(packet, before);
});
