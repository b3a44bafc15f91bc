/** What docs/guides/dhcp.md tells people to write is taken by the programs that it is for, and does what it says. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { toHex, fromHex } from "#std/bytes.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import { bringDhcpPeers, withoutPeer } from "../peers/locate.ts";
import { captured } from "./dhcp-client.ts";
import { Namespace, printed } from "./netns.ts";

const GUIDE = readFileSync(new URL("../../docs/guides/dhcp.md", import.meta.url), "utf8");
const ASK = fileURLToPath(new URL("dhcp-ask.ts", import.meta.url));
const skip = withoutPeer("dhcp-peers");

function block(language: string, beginning: RegExp): string {
  const blocks = [...GUIDE.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
  return blocks.find((text) => beginning.test(text)) ?? assert.fail(`no ${language} block that has ${beginning}`);
}

before(() => {
  if (skip === false) bringDhcpPeers();
});

test("the subnets file is one", () => {
  const subnets = readSubnets(parse(block("yaml", /^subnets:/)));
  assert.deepEqual(
    subnets.map(({ name }) => name),
    ["10.77.0.0/24", "10.78.0.0/24", "fd77::/64", "192.168.5.0/24"],
  );
  const wrong = { subnets: [{ subnet: "10.77.0.0/24", pools: ["10.77.0.5", "10.78.0.1"] }] };
  const quoted = /`(subnets\[0\]\.pools\[1\][^`]*)`/.exec(GUIDE)![1]!;
  assert.throws(
    () => readSubnets(wrong),
    (error: Error) => error.message.endsWith(quoted),
  );
});

test("Kea's recipe is JSON with a class for everyone", () => {
  const { Dhcp4: config } = JSON.parse(block("json", /Dhcp4/)) as { Dhcp4: { "client-classes": { name: string }[] } };
  assert.deepEqual(
    config["client-classes"].map(({ name }) => name),
    ["ipxe", "http", "http-arm64", "efi", "arm64", "bios"],
  );
});

test("dnsmasq takes its recipe, and tells captured firmware what we would", { skip }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "sidero-guide-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "dnsmasq.conf");
  writeFileSync(file, block("conf", /dnsmasq\.conf/));
  const [server, client] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.77.0.1/24"], client, "c0");
  assert.match(await server.run("dnsmasq", ["--test", `--conf-file=${file}`]), /syntax check OK/);
  const dnsmasq = server.start(context, "dnsmasq", [
    "--keep-in-foreground",
    "--log-facility=-",
    "--port=0",
    `--conf-file=${file}`,
    "--no-ping",
    "--user=root",
    `--dhcp-leasefile=${directory}/leases`,
  ]);
  await printed(dnsmasq, /IP range/);
  const cases = {
    "ipxe-rom-bios-discover": "http://10.77.0.1:8081/boot.ipxe",
    "ovmf-pxe-discover": "snp.efi",
    "ovmf-http-discover": "http://10.77.0.1:8081/tftp/snp.efi",
    "aavmf-discover": "snp-arm64.efi",
  };
  for (const [name, expected] of Object.entries(cases)) {
    const hex = toHex(encode({ ...captured(name), flags: 0x8000 }, 1500));
    const output = await client.run(process.execPath, [ASK, "c0", "255.255.255.255", "67", hex]);
    const offer = decode(fromHex(output.trim().split(" ").at(-1)!)!);
    assert.equal(offer.options.bootFile ?? offer.file, expected, name);
  }
});
