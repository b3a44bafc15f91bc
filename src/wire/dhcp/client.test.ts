import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../../test/vectors/dhcp/captures.json" with { type: "json" };
import { fromHex } from "#std/bytes.ts";
import { clientOf } from "./client.ts";
import type { Client } from "./client.ts";
import { decode } from "./decode.ts";
import { architectureOf } from "./architecture.ts";
import type { Options, Packet } from "./packet.ts";

const UUID = { text: "00112233-4455-6677-8899-aabbccddeeff", swapped: "33221100-5544-7766-8899-aabbccddeeff" };
const MAC = "52:54:00:12:34:56";

function clientIn(name: string): Client {
  return clientOf(decode(fromHex(vectors.captures.find((entry) => entry.name === name)!.hex)!));
}

function withOptions(options: Options, header: Partial<Packet> = {}): Client {
  const request = decode(fromHex(vectors.captures[0]!.hex)!);
  return clientOf({ ...request, ...header, options });
}

test("captured clients are told apart", () => {
  const table: [string, Client["program"], string, Partial<Client>][] = [
    ["ipxe-rom-bios-discover", "ipxe", "x86 BIOS", { mac: MAC, uuid: UUID, userClasses: ["iPXE"] }],
    ["undionly-discover", "ipxe", "x86 BIOS", { mac: MAC, uuid: UUID }],
    ["snponly-discover", "ipxe", "x64 UEFI", { mac: MAC, uuid: UUID }],
    ["ovmf-pxe-discover", "pxe", "x64 UEFI", { mac: MAC, uuid: UUID, userClasses: [] }],
    ["ovmf-http-discover", "http", "x64 UEFI boot from HTTP", { mac: MAC, uuid: UUID }],
    ["ovmf-ia32-discover", "pxe", "x86 UEFI", { mac: MAC, uuid: UUID }],
    ["aavmf-discover", "pxe", "ARM 64-bit UEFI", { mac: MAC, uuid: UUID }],
    ["u-boot-discover", "u-boot", "ARM 64 U-Boot", { mac: "52:52:52:52:52:52", vendorClass: "U-Boot.armv8" }],
    ["u-boot-efi-discover", "u-boot", "ARM 64-bit UEFI", { mac: "52:52:52:52:52:52" }],
  ];
  for (const [name, program, architecture, facts] of table) {
    const client = clientIn(name);
    assert.equal(client.program, program, name);
    assert.equal(client.architecture?.name, architecture, name);
    assert.equal(client.relay, undefined, name);
    for (const [field, value] of Object.entries(facts))
      assert.deepEqual(client[field as keyof Client], value, `${name} ${field}`);
  }
  assert.equal(clientIn("u-boot-discover").uuid, undefined);
});

test("iPXE says what it can do and which card it drives", () => {
  assert.deepEqual(clientIn("ipxe-rom-bios-discover").ipxe, {
    version: "1.0.0",
    features: ["pxe-ext", "iscsi", "aoe", "http", "tftp", "dns", "bzimage", "multiboot", "pxe", "elf", "menu", "nfs"],
    nic: { vendor: "1af4", device: "1000" },
  });
  assert.ok(clientIn("snponly-discover").ipxe!.features.includes("efi"));
  assert.equal(clientIn("ovmf-pxe-discover").ipxe, undefined);
  assert.deepEqual(withOptions({ userClass: { classes: ["iPXE"], isBare: false } }).ipxe, { features: [] });
});

test("the vendor class stands in for a missing architecture, the registry decides among several", () => {
  assert.equal(withOptions({ vendorClass: "PXEClient:Arch:00007:UNDI:003016" }).architecture?.code, 7);
  assert.equal(withOptions({ vendorClass: "HTTPClient:Arch:00019" }).architecture?.processor, "arm64");
  assert.equal(withOptions({ vendorClass: "PXEClient" }).architecture, undefined);
  assert.equal(withOptions({ vendorClass: "MSFT 5.0" }).program, "other");
  const several = withOptions({ clientArchitectures: [999, 27, 7] });
  assert.deepEqual([several.architecture?.processor, several.architectures], ["riscv64", [999, 27, 7]]);
});

test("the registry", () => {
  const facts = [0, 6, 7, 9, 11, 15, 16, 19, 20, 22, 28, 39].map((code) => {
    const { firmware, processor, transport } = architectureOf(code)!;
    return `${code} ${firmware} ${processor} ${transport}`;
  });
  assert.deepEqual(facts, [
    "0 bios ia32 tftp",
    "6 uefi ia32 tftp",
    "7 uefi x64 tftp",
    "9 uefi x64 tftp",
    "11 uefi arm64 tftp",
    "15 uefi ia32 http",
    "16 uefi x64 http",
    "19 uefi arm64 http",
    "20 bios ia32 http",
    "22 u-boot arm64 tftp",
    "28 uefi riscv64 http",
    "39 uefi loongarch64 tftp",
  ]);
  assert.equal(architectureOf(42), undefined);
});

test("U-Boot's UUID is in the order of RFC 9562", () => {
  const clientUuid = fromHex("00112233445566778899aabbccddeeff")!;
  assert.deepEqual(withOptions({ clientUuid, vendorClass: "U-Boot.armv8" }).uuid, UUID);
});

test("what the relay says of the client", () => {
  const relayAgent = [
    { code: 1, value: Uint8Array.of(0x31) },
    { code: 2, value: Uint8Array.of(0x32) },
    { code: 6, value: Uint8Array.of(0x33) },
    { code: 5, value: Uint8Array.of(192, 0, 2, 0) },
    { code: 11, value: Uint8Array.of(192, 0, 2, 254) },
    { code: 151, value: Uint8Array.of(1) },
  ];
  assert.deepEqual(withOptions({ relayAgent }, { giaddr: "192.0.2.254" }).relay, {
    address: "192.0.2.254",
    circuitId: Uint8Array.of(0x31),
    remoteId: Uint8Array.of(0x32),
    subscriberId: Uint8Array.of(0x33),
    linkSelection: "192.0.2.0",
    serverIdOverride: "192.0.2.254",
  });
});

test("a hardware address that is no Ethernet card's is no MAC", () => {
  assert.equal(withOptions({}, { htype: 32, chaddr: new Uint8Array() }).mac, undefined);
  assert.equal(withOptions({}, { htype: 32, chaddr: new Uint8Array(6) }).mac, undefined);
});
