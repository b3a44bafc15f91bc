/**
 * SeaBIOS and OVMF, and Debian's iPXE, on a network whose DHCP server names one file for everyone: each machine comes to our script.
 * What it says in the end is a file name that it asks for.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { inside } from "../../lab/command.ts";
import { describe } from "../../lab/description.ts";
import type { Firmware } from "../../lab/description.ts";
import { QUICK_IPXE, startDnsmasq } from "../../lab/dnsmasq.ts";
import { createRack } from "../../lab/rack.ts";
import { bringLab, locateIpxe, withoutPeer } from "../peers/locate.ts";
import { start, waitFor } from "../peers/process.ts";

const skip = withoutPeer("lab", "ipxe");
const SERVE = fileURLToPath(new URL("../boot/ipxe-serve.ts", import.meta.url));
const REACHED = "chain tftp://10.77.0.1/reached-${platform}-${buildarch}-${version}";
const FILES: Readonly<Record<Exclude<Firmware, "uefi-http">, string>> = { bios: "undionly.kpxe", uefi: "snp.efi" };

/** Boots one machine and resolves to what our TFTP server saw until the script said that it had been reached. */
async function boot(context: TestContext, firmware: keyof typeof FILES, scripts: readonly string[]): Promise<string[]> {
  bringLab();
  const logs = mkdtempSync(join(tmpdir(), "sidero-ipxe-"));
  const { network, machines, close } = await createRack([describe(1, { firmware })], logs);
  const [machine] = machines;
  context.after(async () => {
    if (!context.passed) console.error(machine!.serial.tail());
    await close();
    rmSync(logs, { recursive: true });
  });
  const { namespace, address } = network;
  const server = start(...inside(namespace, process.execPath, [SERVE, address, locateIpxe(), ...scripts]));
  context.after(() => server.stop());
  const lines = [...QUICK_IPXE, `dhcp-boot=${FILES[firmware]},,${address}`];
  const dnsmasq = await startDnsmasq(network, { namespace, interface: "rack", range: ["10.77.0.50", "10.77.0.60"], lines });
  context.after(() => dnsmasq.stop());
  await waitFor(server, "the TFTP server", 20_000, () => (server.log().includes("ready") ? true : undefined));
  await machine!.on();
  await waitFor(server, "the script", 120_000, () => (server.log().includes("asked for reached-") ? true : undefined));
  return server
    .log()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => (JSON.parse(line) as { text: string }).text);
}

test("UEFI: OVMF loads iPXE, which asks for autoexec.ipxe by itself", { skip, timeout: 180_000 }, async (context) => {
  const seen = await boot(context, "uefi", [`dhcp\n${REACHED}`]);
  assert.match(seen[0]!, /^sent snp\.efi: \d+ bytes .*blocks of 1468/);
  assert.match(seen[1]!, /^sent autoexec\.ipxe/);
  assert.match(seen.at(-1)!, /^asked for reached-efi-x86_64-1\.21\.1/);
});

test(
  "BIOS: the old iPXE of the NIC gets the script, and so does the new one that it loads",
  { skip, timeout: 180_000 },
  async (context) => {
    const seen = await boot(context, "bios", ["chain tftp://10.77.0.1/plain/undionly.kpxe", REACHED]);
    assert.match(seen[0]!, /^sent undionly\.kpxe: 50 bytes/);
    assert.match(seen[1]!, /^sent plain\/undionly\.kpxe: \d{6} bytes/);
    assert.match(seen[2]!, /^sent undionly\.kpxe: 74 bytes/);
    assert.match(seen.at(-1)!, /^asked for reached-pcbios-i386-1\.21\.1/);
  },
);
