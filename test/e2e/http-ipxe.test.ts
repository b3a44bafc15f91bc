/**
 * Our scripts in real iPXE on real firmware: waiting, failing, asking again, and on to the disk. Patterns are short: SeaBIOS
 * writes a character twice to the serial line now and then.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { describe, type Description, macOf } from "../../lab/description.ts";
import { inside } from "../../lab/command.ts";
import { type Dnsmasq, QUICK_IPXE, startDnsmasq } from "../../lab/dnsmasq.ts";
import type { Machine } from "../../lab/machine.ts";
import { createRack, type Rack } from "../../lab/rack.ts";
import { entryScript } from "#boot/http/scripts.ts";
import type { Sighting } from "#decide/sighting.ts";
import { bringLab, withoutPeer } from "../peers/locate.ts";
import { type Child, start, waitFor } from "../peers/process.ts";

const skip = withoutPeer("lab");
before(() => void (skip || bringLab()));

const SERVE = fileURLToPath(new URL("../boot/http-serve.ts", import.meta.url));
const URL_OF_ENTRY = "http://10.77.0.1:8081/boot.ipxe";
/** Debian's, without a script of ours in it. */
const IPXE = "/usr/lib/ipxe";

async function serve({ network }: Rack, ...args: string[]): Promise<Child> {
  const child = start(...inside(network.namespace, process.execPath, [SERVE, network.address, "8081", ...args]));
  await waitFor(child, "http-serve", 20_000, () => (child.log().includes("serving") ? true : undefined));
  return child;
}

function sightings(child: Child): Sighting[] {
  const lines = child.log().split("\n");
  return lines.filter((line) => line.startsWith("{") && line.endsWith("}")).map((line) => JSON.parse(line) as Sighting);
}

/** A machine that the site's DHCP server sends to our entry, by way of iPXE if it is not in it yet. */
async function rackOf(
  context: TestContext,
  parts: Partial<Description>,
): Promise<{ rack: Rack; machine: Machine; dnsmasq: Dnsmasq }> {
  const rack = await createRack([describe(1, parts)]);
  context.after(async () => {
    if (!context.passed) console.error(rack.machines[0]!.serial.tail(80));
    await rack.close();
  });
  const dnsmasq = await startDnsmasq(rack.network, {
    namespace: await rack.network.annex(2),
    interface: "eth0",
    range: ["10.77.0.50", "10.77.0.99"],
    lines: [
      "enable-tftp",
      `tftp-root=${IPXE}`,
      "dhcp-match=set:ipxe,175",
      `dhcp-boot=tag:ipxe,${URL_OF_ENTRY}`,
      "dhcp-boot=tag:!ipxe,snponly.efi",
      ...QUICK_IPXE,
    ],
  });
  context.after(() => dnsmasq.stop());
  return { rack, machine: rack.machines[0]!, dnsmasq };
}

test("a machine waits, is told what for, and outlasts a restart of the server and a broken file", { skip }, async (context) => {
  const { rack, machine, dnsmasq } = await rackOf(context, {});
  let server = await serve(rack);
  context.after(() => server.stop());
  await machine.on();
  await machine.serial.until(/waiting: the agent's/, 60);
  const seen = await waitFor(server, "three requests", 60_000, () => {
    const all = sightings(server);
    return all.length >= 3 ? all : undefined;
  });
  const { description } = machine;
  for (const { what, of, waitingFor, text } of seen) {
    assert.deepEqual([what, of.mac, of.uuid], ["script.served", macOf(1), description.uuid]);
    assert.match(waitingFor!, /^the agent's vmlinuz-amd64/);
    assert.match(text, /^told to wait: no Server .* yet: it is to register, but the agent's/);
  }
  // One wait, one network: what answered it stays as it is.
  const [first, second] = seen;
  assert.ok(second!.at - first!.at > 4_000 && second!.at - first!.at < 9_000, `asked again after ${second!.at - first!.at} ms`);
  assert.equal(dnsmasq.log().match(/DHCPACK/g)!.length, 1, "DHCP was done once");

  await server.stop("SIGKILL");
  await machine.serial.until(/Connection (timed out|reset)|Error 0x|failed/i, 60);
  server = await serve(rack);
  await waitFor(server, "asks again", 60_000, () => (sightings(server).length > 0 ? true : undefined));

  server.process.kill("SIGUSR2");
  await machine.serial.until(/it is to register$/, 60);
  await machine.serial.until(/that failed/, 60);
  const agents = await waitFor(server, "asks again", 60_000, () => {
    const all = sightings(server).filter(({ text }) => text.startsWith("agent: "));
    return all.length >= 2 ? all : undefined;
  });
  assert.equal(agents[0]!.waitingFor, undefined);
  const failed = sightings(server).find(({ what }) => what === "http.failed");
  assert.equal(failed!.text, "/env/agent-amd64/vmlinuz broke off after 0.262 of 1.0 MB: bad sector");
});

test("with no interface up, they are walked through until one leads to the server", { skip }, async (context) => {
  const unplugged = { model: "virtio-net-pci", mac: macOf(1), cabled: false } as const;
  const plugged = { model: "e1000", mac: macOf(1, 2), cabled: true } as const;
  const rack = await createRack([describe(1, { nics: [unplugged, plugged] })]);
  context.after(() => rack.close());
  const directory = join(rack.network.directory, "tftp");
  await mkdir(directory);
  // As when nobody had configured anything yet.
  const entry = entryScript({ base: "http://10.77.0.1:8081", prompt: 1_000, waitsForLink: false });
  await writeFile(join(directory, "entry.ipxe"), entry.replace("#!ipxe\n", "#!ipxe\nifclose\n"));
  const dnsmasq = await startDnsmasq(rack.network, {
    namespace: await rack.network.annex(2),
    interface: "eth0",
    range: ["10.77.0.50", "10.77.0.99"],
    lines: ["enable-tftp", `tftp-root=${directory}`, "dhcp-boot=entry.ipxe", ...QUICK_IPXE],
  });
  context.after(() => dnsmasq.stop());
  const server = await serve(rack);
  context.after(() => server.stop());
  const [machine] = rack.machines;
  context.after(() => context.passed || console.error(machine!.serial.tail(80)));
  await machine!.on();
  const [seen] = await waitFor(server, "asks", 120_000, () => {
    const all = sightings(server);
    return all.length > 0 ? all : undefined;
  });
  assert.deepEqual([seen!.what, seen!.of.mac], ["script.served", macOf(1, 2)]);
  assert.equal(dnsmasq.log().match(/DHCPACK/g)!.length, 2, "once by iPXE, once by the script");
});

for (const [method, shown] of [
  ["ipxe-exit", /ipxe-exit, says/],
  ["ipxe-sanboot", /SAN device 0x80/],
] as const) {
  test(`a BIOS goes on to its disk: ${method}`, { skip }, async (context) => {
    const { rack, machine } = await rackOf(context, {});
    const server = await serve(rack, method);
    context.after(() => server.stop());
    await machine.on();
    await machine.serial.until(shown, 60);
    await machine.serial.until(/from Hard Disk/, 60);
  });

  test(`UEFI goes on to its next boot entry: ${method}`, { skip }, async (context) => {
    const { rack, machine } = await rackOf(context, { firmware: "uefi" });
    const server = await serve(rack, method);
    context.after(() => server.stop());
    await machine.on();
    await machine.serial.until(/is installed/, 120);
    // Its entry for PXE counts as failed, and the one after it is PXE over IPv6: not the menu.
    await machine.serial.until(/failed to start Boot0002 "UEFI PXEv4/, 60);
    await machine.serial.until(/>>Start PXE over IPv6/, 60);
  });
}
