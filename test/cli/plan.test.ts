/** `sidero plan` on Servers of an API server in this process: what it says, and that it changes nothing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { plan } from "#cli/plan.ts";
import { readSettings } from "#cli/settings/read.ts";
import type { Planned } from "#decide/lifecycle/plan.ts";
import { digest } from "#io/node/digest.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const NEW = "4c4c4544-0042-4810-8056-b4c04f395931";
const HELD = "4c4c4544-0043-4810-8056-b4c04f395932";
let world: World;

before(async () => {
  world = await startWorld();
  const servers = world.client.for(Server);
  const devices = [
    { name: "nvme0n1", productName: "SAMSUNG", serialNumber: "S1", size: 1_000_000_000_000, transport: "nvme" },
    { name: "sda", productName: "ST8000NM", size: 8_000_000_000_000, transport: "sata" },
    { name: "sdb", productName: "Ultra Fit", size: 32_000_000_000, transport: "usb" },
  ];
  const bmc = { endpoint: "10.0.0.5", user: "admin", pass: "secret" };
  const spec = { accepted: false, bmc, wipe: { keep: [{ model: "ST8000*" }] }, hardware: { storage: { devices } } };
  const fresh = await servers.create({ metadata: { name: NEW }, spec });
  await servers.update({ ...fresh, status: { phase: "Discovered", power: "off" } }, { subresource: "status" });
  const held = await servers.create({ metadata: { name: HELD }, spec: { ...spec, accepted: true } });
  const allocation = { binding: "", namespace: "default", metalMachine: "m-1", since: "2030-01-01T00:00:00Z" };
  await servers.update(
    { ...held, status: { phase: "Allocated", inUse: true, power: "off", allocation } },
    { subresource: "status" },
  );
  const reference = { name: "m-1", namespace: "default" };
  await world.client.for(ServerBinding).create({ metadata: { name: HELD }, spec: { metalMachineRef: reference } });
  const kernel = { url: "http://example.org/vmlinuz", args: ["talos.platform=metal"] };
  const environment = { metadata: { name: "default" }, spec: { kernel, initrd: { url: "http://example.org/initrd" } } };
  const made = await world.client.for(Environment).create(environment);
  const conditions = [kernel.url, "http://example.org/initrd"].map((url) => ({ url, type: "Ready", status: "True" }) as const);
  await world.client.for(Environment).update({ ...made, status: { conditions } }, { subresource: "status" });
});
after(() => world.stop());

async function said(name: string, what: Planned, output: "text" | "json" = "text"): Promise<string> {
  const lines: string[] = [];
  const terminal = { client: world.client, print: (line: string) => lines.push(line), style: (_: string, text: string) => text };
  await plan(
    name,
    what,
    output,
    { ...terminal, now: () => NOW },
    { settings: readSettings("up", { flags: {}, env: {} }), digest },
  );
  return lines.join("\n");
}

test("accepting it: BMC calls, boot script, disks, and where it is then", async () => {
  const before = await world.client.for(Server).get(NEW);
  const text = await said(NEW, "accept");
  assert.match(text, /its BMC is told: boot once from pxe \(uefi\), then power on\n +BMC: ipmi:\/\/10\.0\.0\.5/);
  assert.match(text, /boot script: kernel and initrd of \/env\/agent-amd64/);
  assert.match(text, /nvme0n1 \(SAMSUNG, S1, 1000 GB\): wiped, fast/);
  assert.match(text, /sda \(ST8000NM, 8000 GB\): left alone, spec\.wipe\.keep has it/);
  assert.match(text, /sdb \(Ultra Fit, 32.0 GB\): left alone, it hangs on USB/);
  assert.match(text, /Then it is Available\.$/);
  assert.ok(!text.includes("secret"), "no password");
  assert.deepEqual(await world.client.for(Server).get(NEW), before);
});

test("releasing and rebooting one that is held; for programs; and what would not be done", async () => {
  assert.match(await said(HELD, "release"), /nobody holds it[^]*wipes its disks[^]*Then it is Available/);
  assert.match(
    await said(HELD, "reboot"),
    /power (?:on|cycle)[^]*boot script: kernel http:\/\/example\.org\/vmlinuz with talos\.platform=metal, because/,
  );
  const { steps } = JSON.parse(await said(NEW, "accept", "json")) as { steps: { text: string; effect?: { do: string } }[] };
  assert.ok(steps.some(({ effect }) => effect?.do === "operate"));
  for (const [name, what] of [
    [NEW, "release"],
    [NEW, "wipe"],
    [HELD, "wipe"],
    [HELD, "accept"],
  ] as const) {
    await assert.rejects(said(name, what), (fault) => Fault.is(fault, "cli.refused"), `${name} ${what}`);
  }
});
