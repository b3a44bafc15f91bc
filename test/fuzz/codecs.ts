/** Codecs, and the decisions that are made of what they read: synchronous, without state. */
import assert from "node:assert/strict";
import { keysOf, shown } from "#boot/tftp/name.ts";
import { answer } from "#decide/dhcp/answer.ts";
import { answer6 } from "#decide/dhcp/v6/answer.ts";
import { Leases } from "#decide/dhcp/leases.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { decodeToken, encodeToken } from "#decide/identity/token.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { clientOf } from "#wire/dhcp/client.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import { decodePxe } from "#wire/dhcp/pxe.ts";
import { clientOf as clientOf6 } from "#wire/dhcp/v6/client.ts";
import { decode as decode6 } from "#wire/dhcp/v6/decode.ts";
import { encode as encode6 } from "#wire/dhcp/v6/encode.ts";
import { formatArguments, parseArguments } from "#wire/ipxe/argument.ts";
import { decode as decodeLldp } from "#wire/lldp/decode.ts";
import { encode as encodeLldp } from "#wire/lldp/encode.ts";
import { decode as decodeSmbios } from "#wire/smbios/decode.ts";
import { decode as decodeTftp } from "#wire/tftp/decode.ts";
import { encode as encodeTftp } from "#wire/tftp/encode.ts";
import { refusalOf } from "#wire/tftp/sender.ts";
import { programFor } from "../boot/dhcp-client.ts";
import captures from "../vectors/dhcp/captures.json" with { type: "json" };
import tables from "../vectors/smbios/tables.json" with { type: "json" };
import { bmcs } from "./bmc.ts";
import { disks } from "./disks.ts";
import { ipmi } from "./ipmi.ts";
import { link } from "./link.ts";
import { kube } from "./kube.ts";
import { latin, type Parser, read } from "./parser.ts";
import { redfish } from "./redfish.ts";
import { talos } from "./talos.ts";

const hex = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => fromHex(text)!);
const OUR = "10.0.0.1";
const BOOT = { port: 8081, programFor, mayBoot: true } as const;
const [subnet4, subnet6] = readSubnets({
  subnets: [
    { subnet: "10.0.0.0/24", mode: "server", pools: ["10.0.0.50-10.0.0.59"], routers: ["10.0.0.254"] },
    { subnet: "fd77::/64", mode: "server", pools: ["fd77::50-fd77::59"] },
  ],
});

const dhcp: Parser = {
  name: "dhcp",
  seeds: captures.captures.map((capture) => fromHex(capture.hex)!),
  words: hex(
    "63825363",
    "350101",
    "350103",
    "3c09505845436c69656e74",
    "5d020007",
    "5d020000",
    "6111",
    "4d0469505845",
    "5202",
    "2b",
    "af",
    "34010b",
    "ff",
    "7701",
  ),
  longest: 4096,
  run(input) {
    const packet = read(() => decode(input));
    if (packet === undefined) return;
    const client = clientOf(packet);
    const { vendorSpecific } = packet.options;
    if (vendorSpecific !== undefined) read(() => decodePxe(vendorSpecific));
    for (const scopes of [[], [{ subnet: subnet4!, leases: new Leases(subnet4!) }]]) {
      for (const port of [67, 4011]) {
        const from = { address: "0.0.0.0", port: 68 };
        const facts = { now: 0, port, from, address: OUR, ours: new Set([OUR]), boot: { ...BOOT, server: OUR }, scopes };
        const given = answer(packet, client, facts);
        if (given.kind === "reply") decode(encode(given.packet, packet.options.maxMessageSize));
      }
    }
  },
};

const dhcp6: Parser = {
  name: "dhcp6",
  seeds: captures.captures6.map((capture) => fromHex(capture.hex)!),
  words: hex("00010004", "00030004", "0010", "003d00020007", "00090002", "0c00", "000d0002", "ffff", "0006"),
  longest: 4096,
  run(input) {
    const packet = read(() => decode6(input));
    if (packet === undefined) return;
    const found = read(() => clientOf6(packet, "fe80::1"));
    if (found === undefined) return;
    const duid = { kind: "link-layer", htype: 1, address: Uint8Array.of(2, 0, 0, 0, 0, 1) } as const;
    const scopes = [{ subnet: subnet6!, leases: new Leases(subnet6!) }];
    const given = answer6(found.message, found.client, { now: 0, duid, boot: { ...BOOT, server: "fd77::1" }, scopes });
    if (given.kind !== "silence") decode6(encode6(given.message));
  },
};

const tftp: Parser = {
  name: "tftp",
  seeds: [
    latin("\x00\x01undionly.kpxe\x00octet\x00tsize\x000\x00blksize\x001432\x00windowsize\x0064\x00timeout\x005\x00"),
    latin("\x00\x02x\x00netascii\x00"),
    latin("\x00\x03\x00\x01data"),
    latin("\x00\x04\xff\xff"),
    latin("\x00\x05\x00\x01gone\x00"),
    latin("\x00\x06blksize\x001432\x00"),
    latin("\x00\x01\\tftpboot\\ipxe.efi\xff\x00OCTET\x00"),
  ],
  words: [
    "\x00",
    "octet\x00",
    "blksize\x00",
    "65464\x00",
    "tsize\x00",
    "windowsize\x00",
    "../",
    "4294967296\x00",
    "-1\x00",
    "\x00\x01",
  ].map(latin),
  longest: 2048,
  run(input) {
    const packet = read(() => decodeTftp(new Uint8Array(input)));
    if (packet === undefined) return;
    assert.deepEqual(decodeTftp(encodeTftp(packet)), packet);
    if (packet.kind !== "read-request" && packet.kind !== "write-request") return;
    refusalOf(packet);
    assert.match(shown(packet.file), /^[ -~]*…?$/);
    for (const key of keysOf(packet.file)) assert.ok(!key.startsWith("/") && !key.split("/").includes(".."), key);
  },
};

const ipxeArguments: Parser = {
  name: "ipxe-arguments",
  seeds: ["console=ttyS0 talos.platform=metal", `a="b c" d 'e f' -- init`, `"quoted key"=1 "open`, "  x=1\t\ny=${net0/mac} "].map(
    latin,
  ),
  words: [`"`, "=", " -- ", "\\", "\n", "${", "}", "\u00ff", "'", "talos.config="].map(latin),
  longest: 8192,
  run(input) {
    const all = parseArguments(Buffer.from(input).toString("latin1"));
    let line: string;
    try {
      line = formatArguments(all);
    } catch (error) {
      if (Fault.is(error, "ipxe.argument")) return;
      throw error;
    }
    assert.deepEqual(parseArguments(line), all);
  },
};

/** The entry point's length in one byte, the entry point, the table. */
const smbios: Parser = {
  name: "smbios",
  seeds: tables.map(({ entryPoint, table }) => Buffer.concat([Buffer.of(entryPoint.length / 2), ...hex(entryPoint, table)])),
  words: hex("0000", "7f04ffff", "011b0100", "1128", "0430", "ff7f", "ffff", "00800000"),
  longest: 16_384,
  run(input) {
    const [length = 0] = input;
    read(() => decodeSmbios(input.subarray(1, 1 + length), input.subarray(1 + length)));
  },
};

const seal = createMemorySeal(7);
const boot = "0b0e7e3c-6f5c-4f0e-8a33-8f4f6f1d2c3b";
const expires = 4_000_000_000_000;
/** The damaged message is sealed anew, or nothing behind the seal would ever be read. */
const token: Parser = {
  name: "token",
  seeds: [{ address: "10.0.0.5" }, { address: "fd77::5", uuid: boot, mac: "52:54:00:00:00:01", serial: "SN-4711 ü" }].map(
    (facts) => Buffer.from(encodeToken({ purpose: "agent", boot, expires, ...facts }, seal), "base64url").subarray(0, -32),
  ),
  words: hex("a1", "00", "ff", "0f", "52540000"),
  longest: 512,
  run(input) {
    const sealed = Buffer.concat([input, seal.mark(input)]).toString("base64url");
    const found = read(() => decodeToken(sealed, seal, 0));
    // What the other side sealed is not always what we would.
    if (found !== undefined) assert.ok(found.expires > 0);
    read(() => decodeToken(Buffer.from(input).toString("base64url"), seal, 0));
    read(() => decodeToken(Buffer.from(input).toString("latin1"), seal, 0));
  },
};

const NEIGHBOUR = { chassis: "00:1b:21:aa:bb:cc", port: "Ethernet1/7", timeToLive: 120 };
const lldp: Parser = {
  name: "lldp",
  seeds: [NEIGHBOUR, { ...NEIGHBOUR, portDescription: "rack 4", systemName: "leaf-4a", systemDescription: "switch OS" }].map(
    (packet) => encodeLldp(packet, NEIGHBOUR.chassis),
  ),
  words: hex("0000", "0207040000", "0405014574", "06020078", "fe06", "ffff", "0e04", "1000"),
  longest: 9000,
  run(input) {
    read(() => decodeLldp(input));
  },
};

export const codecs: readonly Parser[] = [
  dhcp,
  dhcp6,
  tftp,
  ipxeArguments,
  smbios,
  token,
  lldp,
  ...ipmi,
  ...redfish,
  ...bmcs,
  ...disks,
  ...talos,
  ...kube,
  ...link,
];
