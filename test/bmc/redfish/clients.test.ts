/** Clients that are not ours (DMTF's tools, OpenStack's sushy) to the simulated service, and documents of others to our readers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { listen } from "#io/node/serve.ts";
import type { Listener } from "#io/serve.ts";
import { devicesOf, readBoot } from "#wire/redfish/boot.ts";
import { readCollection, readController, readMac } from "#wire/redfish/controller.ts";
import { decode, type Document, section } from "#wire/redfish/document.ts";
import { readHealth, readPowerSupplies, readThermal } from "#wire/redfish/health.ts";
import { readSlot, takesCd } from "#wire/redfish/media.ts";
import { readMessages } from "#wire/redfish/message.ts";
import { quirksOf } from "#wire/redfish/quirks.ts";
import { actionsOf } from "#wire/redfish/reset.ts";
import { readRoot } from "#wire/redfish/root.ts";
import { readSecureBoot } from "#wire/redfish/secure-boot.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { readTask } from "#wire/redfish/task.ts";
import { createRedfishHandler } from "../../../sim/bmc/redfish/handler.ts";
import { locateSushy, withoutPeer } from "../../peers/locate.ts";
import { Machine } from "./machine.ts";

const run = promisify(execFile);
const skip = withoutPeer("sushy");

let programs = "";
let listener: Listener | undefined;
let server = "";
const machine = new Machine();

before(
  async () => {
    if (skip !== false) return;
    programs = locateSushy();
    let tokens = 0;
    const handler = createRedfishHandler({ machine, token: () => `token-${++tokens}` });
    const limits = { headers: 5000, idle: 5000, buffered: 1 << 20, stalled: 5000 };
    listener = await listen({ host: "127.0.0.1", port: 0, limits }, handler);
    server = `http://127.0.0.1:${listener.port}`;
  },
  { timeout: 180_000 },
);
after(() => listener?.close());

/** What one of DMTF's tools prints; rejects when it ends with an error. */
async function tool(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(`${programs}/${name}`, ["-u", "admin", "-p", "secret", "-r", server, ...args], {
    timeout: 60_000,
  });
  return stdout;
}

test("DMTF's tools switch, start and read the simulated service", { skip, timeout: 240_000 }, async () => {
  assert.match(
    await tool("rf_power_reset.py", "--info"),
    /reset types: On, ForceOff, GracefulShutdown, PowerCycle, ForceRestart[^]*state: Off/,
  );
  await tool("rf_power_reset.py", "--type", "On");
  assert.ok(machine.isOn);
  await tool("rf_boot_override.py", "--target", "UefiHttp", "--mode", "UEFI");
  assert.deepEqual(machine.once, { device: "http", firmware: "uefi" });
  assert.match(await tool("rf_boot_override.py", "--info"), /Target: UefiHttp; [^]*Enabled: Once\s+Mode: UEFI/);
  await tool("rf_virtual_media.py", "insert", "--image", "http://192.0.2.1/talos.iso", "--id", "Cd");
  assert.equal(machine.image, "http://192.0.2.1/talos.iso");
  await tool("rf_virtual_media.py", "eject", "--id", "Cd");
  assert.equal(machine.image, undefined);
  assert.match(await tool("rf_sensor_list.py"), /CPU +\| 41 Cel +\| OK[^]*Fan 1 +\| 4200 RPM +\| Warning/);
  assert.match(await tool("rf_manager_config.py", "info"), /FirmwareVersion: 1\.0/);
  await tool("rf_sys_inventory.py");
  await tool("rf_power_reset.py", "--type", "ForceOff");
  assert.ok(!machine.isOn);
  await assert.rejects(
    run(`${programs}/rf_power_reset.py`, ["-u", "admin", "-p", "wrong", "-r", server, "--info"]),
    "a wrong password",
  );
});

test("OpenStack's sushy does with it what Ironic does", { skip, timeout: 120_000 }, async () => {
  const script = fileURLToPath(new URL("sushy-client.py", import.meta.url));
  const { stdout } = await run(`${programs}/python`, [script, server], { timeout: 60_000 });
  assert.deepEqual(JSON.parse(stdout), {
    uuid: machine.uuid,
    power: ["Off", "On", "On", "Off"],
    boot: ["Pxe", "Once", "Legacy"],
    macs: machine.macs,
    media: ["http://192.0.2.1/talos.iso", true, false],
    temperatures: [41],
    firmware: "1.0",
  });
});

test("documents that others try their clients with are read", { skip }, (context) => {
  const files = globSync(`${programs}/../lib/python3*/site-packages/sushy/tests/**/json_samples/*.json`);
  const documents = new Map<string, Document>();
  for (const file of files) {
    const key = file.replace(/^.*\/tests\//, "").replace("/json_samples", "");
    const bytes = readFileSync(file);
    // Headers and lists of them, which are no documents.
    if (JSON.parse(bytes.toString())["@odata.type"] !== undefined || key.includes("error")) documents.set(key, decode(bytes));
  }
  context.diagnostic(`${documents.size} documents`);
  assert.ok(documents.size > 90);
  const standard = quirksOf({ vendor: "other" });
  for (const document of documents.values()) {
    readRoot(document);
    readController(document);
    readThermal(document);
    readPowerSupplies(document);
    readSecureBoot(document);
    readTask(document);
    readMessages(document);
    readMac(document);
    takesCd(readSlot(document, "/x"));
    for (const path of readCollection(document).members) assert.match(path, /^\/redfish\/v1\//);
    actionsOf(readSystem(document).reset?.allowed ?? []);
  }
  const at = (key: string): Document => documents.get(key)!;
  const system = readSystem(at("unit/system.json"));
  assert.deepEqual([system.power, system.uuid, system.health], ["on", "38947555-7742-3448-3784-823347823834", "ok"]);
  assert.deepEqual(devicesOf(system.boot, standard), ["pxe", "http", "disk", "cd"]);
  assert.deepEqual(actionsOf(system.reset?.allowed ?? []), ["on", "off", "soft-off", "cycle", "reset"]);
  assert.equal(readBoot(section(at("unit/settings-body-nokia.json"), "Boot")).targets.length, 15);
  assert.equal(readHealth(at("unit/chassis.json")), "ok");
  assert.ok(readThermal(at("unit/thermal.json")).length >= 2);
  assert.match(readMessages(at("unit/error.json")).text, /property/i);
  assert.ok(readController(at("unit/manager.json")).console.length > 0);
});
