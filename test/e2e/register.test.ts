/** Bare machines of every firmware are switched on and become Servers: with Sidero alone on their network, and beside dnsmasq. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { describe, macOf } from "../../lab/description.ts";
import type { Machine } from "../../lab/machine.ts";
import { roadOf } from "../../lab/road.ts";
import { inTurn } from "../../lab/rack.ts";
import type { Site } from "../../lab/site.ts";
import { recorded, siteFor, skip, timeline } from "./fixture.ts";

const EVERY = [
  describe(1),
  describe(2, { firmware: "uefi", disks: [{ model: "nvme", gibibytes: 40, serial: "NVME2" }] }),
  describe(3, { firmware: "uefi-http", cores: 2 }),
];

/** Seconds from the power button to a Server, at leisure. */
const REGISTER = 20;

/** Switches a machine on and returns how it came to be a Server. */
async function register(site: Site, machine: Machine, seconds = REGISTER): Promise<Record<string, number>> {
  await machine.on();
  const record = await recorded(site, machine, "its registration", seconds, ({ status }) => status?.phase === "registered");
  return Object.fromEntries(roadOf(record, machine.since).map(({ name, at }) => [name, at]));
}

async function serverOf({ sidero }: Site, { description }: Machine): Promise<Server> {
  return JSON.parse(await sidero.kubectl("get", "server", description.uuid!, "-o", "json")) as Server;
}

/** What the machine is made of, and what Sidero says it is. */
async function assertHardware(site: Site, machine: Machine): Promise<void> {
  const { firmware, serial, nics, disks, cores, mebibytes } = machine.description;
  const { spec, status } = await serverOf(site, machine);
  const hardware = spec!.hardware!;
  assert.equal(spec!.accepted, false);
  assert.equal(hardware.system?.serialNumber, serial);
  assert.equal(hardware.compute?.totalCoreCount, cores);
  assert.equal(
    hardware.memory?.modules?.reduce((sum, { size }) => sum + (size ?? 0), 0),
    mebibytes,
  );
  assert.equal(hardware.firmware?.bootMode, firmware === "bios" ? "bios" : "uefi");
  const found = hardware.storage?.devices?.map(({ size, serialNumber }) => ({
    gibibytes: size! / 1024 ** 3,
    serial: serialNumber,
  }));
  assert.deepEqual(
    found,
    disks.map(({ gibibytes, serial }) => ({ gibibytes, serial })),
  );
  const macs = hardware.network?.interfaces?.flatMap(({ mac }) => mac ?? []);
  for (const { mac } of nics) assert.ok(macs?.includes(mac), `${mac} is one of its addresses`);
  assert.match(status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "", /^10\.77\.0\.1\d\d$/);
}

test("with Sidero alone on the network", { skip }, async (context) => {
  const site = await siteFor(context, "alone", { machines: EVERY, dhcp: "server" });
  for (const machine of site.machines) {
    const road = await register(site, machine);
    context.diagnostic(`${machine.description.firmware}: ${JSON.stringify(road)}`);
    assert.deepEqual(
      Object.keys(road).filter((name) => name !== "iPXE"),
      ["DHCP", "script", "kernel", "initrd", "agent", "Server"],
    );
    await assertHardware(site, machine);
    await machine.off();
  }
  const text = await timeline(site, site.machines[1]!);
  for (const part of [/snp\.efi/, /10\.77\.0\.1\d\d/, /agent-amd64/, /vmlinuz/, /initramfs/]) assert.match(text, part);
});

test("as a proxy beside dnsmasq", { skip }, async (context) => {
  const site = await siteFor(context, "proxy", { machines: EVERY, dhcp: "proxy" });
  await inTurn(site.machines, async (machine) => {
    const road = await register(site, machine);
    context.diagnostic(`${machine.description.firmware}: ${JSON.stringify(road)}`);
    await assertHardware(site, machine);
    await machine.off();
  });
  const text = await timeline(site, site.machines[0]!);
  assert.match(text, /10\.77\.0\.2\b/, "it shows who gave the address");
});

test("four at a time, one of them by its second network card", { skip }, async (context) => {
  const model = "e1000e" as const;
  const second = [
    { model, mac: macOf(4), cabled: false },
    { model, mac: macOf(4, 2), cabled: true },
  ];
  const machines = [describe(1), describe(2), describe(3), describe(4, { nics: second })];
  const site = await siteFor(context, "four", { machines, dhcp: "server" });
  await Promise.all(site.machines.map((machine) => register(site, machine, 3 * REGISTER)));
  for (const machine of site.machines) await assertHardware(site, machine);
});
