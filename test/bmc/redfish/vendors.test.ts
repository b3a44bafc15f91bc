/** One vendor after the other: switched, started once from elsewhere, asked how and what it is, against shapes and rules of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BmcCapabilities, BmcInventory, BootOnce, Health } from "#decide/power.ts";
import { isObject } from "#std/json.ts";
import { Fault } from "#std/fault.ts";
import { text } from "#wire/redfish/document.ts";
import { connect, never } from "./fixture.ts";
import { PASSWORD, Replay, USER, type Rule } from "./replay.ts";
import { ami, idrac, ilo, supermicro, xcc } from "./rules.ts";

interface Case {
  readonly name: string;
  readonly rule?: Rule;
  /** Path of the system, and where its boot settings are. */
  readonly system: string;
  readonly settings?: string;
  readonly inventory: BmcInventory;
  readonly health: Health;
  /** Some of its sensors, as `name value unit health`. */
  readonly sensors: readonly string[];
  readonly capabilities: Partial<BmcCapabilities>;
  /** Boot settings after a start from the network was asked for, and how often that was written. */
  readonly pxe: string;
  readonly firmware?: BootOnce["firmware"];
}

const ALL = ["on", "off", "soft-off", "cycle", "reset"] as const;

const CASES: readonly Case[] = [
  {
    name: "dell/idrac9",
    rule: idrac(),
    system: "/redfish/v1/Systems/System.Embedded.1",
    inventory: {
      manufacturer: "Dell Inc.",
      model: "PowerEdge R650",
      serial: "ABC1234",
      uuid: "4c4c4544-0042-4310-8031-c1c04f323334",
      firmwareVersion: "7.10.50.00",
      macs: ["b0:7b:25:d1:00:01", "b0:7b:25:d1:00:02"],
    },
    health: "warning",
    sensors: [
      "CPU1 Temp 47 °C ok",
      "System Board Fan1A 7080 RPM ok",
      "System Board Fan2A Enabled warning",
      "PS1 Status 170 W ok",
    ],
    capabilities: { bootDevices: ["pxe", "http", "disk", "cd"], virtualMedia: true, secureBoot: false, identify: true },
    pxe: "Once Pxe UEFI",
  },
  {
    name: "dell/idrac10",
    rule: idrac({ onlySlot: "1", modeApart: true }),
    system: "/redfish/v1/Systems/System.Embedded.1",
    inventory: {
      manufacturer: "Dell Inc.",
      model: "PowerEdge R670",
      serial: "ABC1234",
      uuid: "4c4c4544-0042-4310-8031-c1c04f323334",
      firmwareVersion: "1.20.25.00",
      macs: ["b0:7b:25:d1:00:01", "b0:7b:25:d1:00:02"],
    },
    health: "warning",
    sensors: ["System Power Control 182 W ok"],
    capabilities: { bootDevices: ["pxe", "http", "disk", "cd"], virtualMedia: true },
    pxe: "Once Pxe UEFI",
  },
  ...(["ilo5", "ilo6"] as const).map((generation): Case => ({
    name: `hpe/${generation}`,
    rule: ilo({ inPost: false }),
    system: "/redfish/v1/Systems/1",
    inventory: {
      manufacturer: "HPE",
      model: generation === "ilo5" ? "ProLiant DL360 Gen10" : "ProLiant DL360 Gen11",
      serial: "CZ2234TEST",
      uuid: "38393550-3134-5a43-3232-333454455354",
      firmwareVersion: generation === "ilo5" ? "iLO 5 v2.78" : "iLO 6 v1.58",
      macs: ["5c:ed:8c:00:11:22"],
    },
    health: "ok",
    sensors: ["01-Inlet Ambient 21 °C ok", "Fan 1 15 % ok", "Power consumption 14 W unknown", "HpeServerPowerSupply 7 W ok"],
    capabilities: { virtualMedia: true, secureBoot: true, identify: true },
    pxe: "Once Pxe UEFI",
  })),
  {
    name: "supermicro/x12",
    rule: supermicro,
    system: "/redfish/v1/Systems/1",
    inventory: {
      manufacturer: "Supermicro",
      model: "SYS-610C-TR",
      serial: "S413370X1234567",
      uuid: "00000000-0000-0000-0000-3cecef123456",
      firmwareVersion: "01.02.29",
      macs: ["3c:ec:ef:12:34:56"],
    },
    health: "critical",
    sensors: ["CPU1 Temp 38 °C ok", "FAN1 0 RPM critical", "12V 12.18 V ok"],
    capabilities: { bootDevices: ["pxe", "http", "disk", "cd"], virtualMedia: true },
    pxe: "Once Pxe UEFI",
  },
  {
    name: "lenovo/xcc",
    rule: xcc({ writesInBetween: 1 }),
    system: "/redfish/v1/Systems/1",
    inventory: {
      manufacturer: "Lenovo",
      model: "7Z73CTO1WW",
      serial: "J100TEST",
      uuid: "bc4a8e2c-8f2d-11ec-b909-0242ac120002",
      firmwareVersion: "AFBT58B 5.70 2024-03-26",
      macs: ["08:94:ef:00:01:02"],
    },
    health: "ok",
    sensors: ["Ambient Temp 24 °C ok", "PSU1 104 W ok"],
    capabilities: { virtualMedia: true, secureBoot: false },
    pxe: "Once Pxe UEFI",
  },
  {
    name: "ami/megarac",
    rule: ami,
    system: "/redfish/v1/Systems/Self",
    settings: "/redfish/v1/Systems/Self/SD",
    inventory: {
      manufacturer: "ASRockRack",
      model: "ROMED8-2T",
      serial: "To Be Filled By O.E.M.",
      uuid: "9c6b0011-2233-4455-6677-8899aabbccdd",
      firmwareVersion: "1.04.00",
      macs: ["a8:a1:59:00:00:01"],
    },
    health: "ok",
    sensors: ["CPU_TEMP 41 °C ok", "+12V 12.1 V ok"],
    capabilities: { bootDevices: ["pxe", "http", "disk", "cd"], virtualMedia: false },
    pxe: "Once Pxe UEFI",
  },
  {
    name: "openbmc/bmcweb",
    system: "/redfish/v1/Systems/system",
    inventory: {
      manufacturer: "Example",
      model: "Romulus",
      serial: "1234567",
      uuid: "6a3f4b0c-1111-2222-3333-444455556666",
      firmwareVersion: "2.18.0",
    },
    health: "ok",
    sensors: ["cpu0 39.5 °C ok", "fan0 4100 RPM ok", "p12v 11.2 V warning"],
    capabilities: { bootDevices: ["pxe", "disk", "cd"], virtualMedia: true },
    pxe: "Once Pxe Legacy",
    firmware: "bios",
  },
];

for (const { name, rule, system, settings = system, inventory, health, sensors, capabilities, pxe, firmware = "uefi" } of CASES) {
  test(`${name}: switched, started once from the network, read`, async () => {
    const replay = new Replay(name, rule);
    const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
    const power = (): Promise<string> => run(bmc.power(never));
    const boot = (): string => {
      const now = replay.at(settings)["Boot"];
      assert.ok(isObject(now));
      return ["Enabled", "Target", "Mode"].map((part) => text(now, `BootSourceOverride${part}`)).join(" ");
    };

    const can = await run(bmc.capabilities(never));
    assert.deepEqual(can.actions, ALL);
    assert.equal(can.protocol, "redfish");
    assert.deepEqual({ ...can, ...capabilities }, can);

    await run(bmc.command("off", never));
    assert.equal(await power(), "off");
    await run(bmc.command("off", never));
    await run(bmc.command("soft-off", never));
    await run(bmc.command("on", never));
    assert.equal(await power(), "on");
    await run(bmc.command("on", never));
    for (const action of ["reset", "cycle"] as const) {
      await run(bmc.command(action, never));
      assert.equal(await power(), "on", action);
    }
    await run(bmc.command("soft-off", never));
    assert.equal(await power(), "off");
    await run(bmc.command("cycle", never));
    assert.equal(await power(), "on", "what is off is switched on");

    await run(bmc.bootOnce({ device: "pxe", firmware }, never));
    assert.equal(boot(), pxe);
    await run(bmc.bootOnce({ device: "pxe", firmware }, never));
    assert.equal(boot(), pxe, "asked for again, it stays");
    await run(bmc.bootOnce({ device: "disk", firmware }, never));
    assert.match(boot(), name.startsWith("lenovo") ? /^Disabled / : /^Once Hdd /);
    await run(bmc.bootOnce({ device: "pxe", firmware }, never));
    assert.equal(boot(), pxe);

    const condition = await run(bmc.health(never));
    assert.equal(condition.overall, health);
    const shown = condition.sensors.map((one) =>
      [one.name, one.value ?? one.text, one.unit, one.health].filter((part) => part !== undefined).join(" "),
    );
    for (const sensor of sensors) assert.ok(shown.includes(sensor), `${sensor} in ${shown.join("; ")}`);
    assert.ok(
      !shown.some((sensor) => sensor.includes("Absent") || sensor.includes("DIMM 1-6") || sensor.includes("M2_SSD1")),
      "what is not there is no sensor",
    );
    assert.deepEqual(await run(bmc.inventory(never)), inventory);

    for (const on of [true, false]) await run(bmc.identify(on, never));
    await assert.rejects(run(bmc.console(never)), (error) => {
      assert.ok(Fault.is(error, "bmc.unsupported"));
      return /SSH/.test(error.message);
    });
    assert.equal(replay.sessions.size, 1, "one session for everything");
    await run(bmc.close());
    assert.equal(replay.sessions.size, 0, "and it is ended");
    assert.ok(!replay.log.some((line) => line.includes(PASSWORD)));
  });
}

test("iDRAC: a value that is set already is not sent, and the virtual drive is started by an import", async () => {
  const replay = new Replay("dell/idrac10", idrac({ onlySlot: "1" }));
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  await run(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never));
  const patches = (): string[] => replay.log.filter((line) => line.startsWith("PATCH"));
  assert.equal(patches().length, 1);
  assert.ok(!patches()[0]!.includes("Mode"), patches()[0]!);
  await run(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never));
  assert.equal(patches().length, 1);
  await run(bmc.bootOnce({ device: "cd", firmware: "uefi", url: "http://192.0.2.1/talos.iso" }, never));
  assert.equal(replay.at("/redfish/v1/Systems/System.Embedded.1/VirtualMedia/1")["Image"], "http://192.0.2.1/talos.iso");
  assert.equal(replay.at("/redfish/v1/Systems/System.Embedded.1/VirtualMedia/2")["Inserted"], false);
  assert.equal(replay.log.filter((line) => line.includes("JID_1")).length, 3, "until its task has ended");
  assert.equal(patches().length, 1, "Cd would be the drive in the machine");
});

test("iDRAC: the mode is written where it is kept apart, and is another one from the next start on", async () => {
  const replay = new Replay("dell/idrac10", idrac({ modeApart: true }));
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  await run(bmc.bootOnce({ device: "pxe", firmware: "bios" }, never));
  const patches = replay.log.filter((line) => line.startsWith("PATCH")).map((line) => line.replace(/^PATCH \S+(?=\/System)/, ""));
  assert.deepEqual(patches, [
    '/System.Embedded.1/Settings {"Boot":{"BootSourceOverrideMode":"Legacy"}}',
    '/System.Embedded.1 {"Boot":{"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once"}}',
  ]);
});

test("iDRAC: one that does not say who made it is what its address says", async () => {
  const replay = new Replay("dell/idrac9", idrac());
  Object.assign(replay.at("/redfish/v1"), { Vendor: null, Product: null, Oem: {} });
  replay.at("/redfish/v1/Systems/System.Embedded.1")["Manufacturer"] = "OEM";
  for (const [vendor, serial] of [
    [undefined, "CNIVC000AB0123"],
    ["dell", "ABC1234"],
  ] as const) {
    const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD }, vendor });
    assert.equal((await run(bmc.inventory(never))).serial, serial);
    await run(bmc.close());
  }
});

test("iLO: boot settings are refused while the firmware starts, which is no failure but a wait; a mode it cannot have is one", async () => {
  const state = { inPost: true, forgets: 0 };
  const replay = new Replay("hpe/ilo5", ilo(state));
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  await assert.rejects(run(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never)), { code: "bmc.busy", retry: "soon" });
  state.inPost = false;
  await run(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never));
  state.forgets = 1;
  await run(bmc.bootOnce({ device: "http", firmware: "uefi" }, never));
  state.forgets = 9;
  await assert.rejects(run(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never)), {
    code: "bmc.not-verified",
    message: "the BMC took Pxe/Once/UEFI, and shows UefiHttp/Once/UEFI",
  });
  state.forgets = 0;
  await assert.rejects(run(bmc.bootOnce({ device: "pxe", firmware: "bios" }, never)), {
    code: "bmc.refused",
    message: /PropertyNotWritable/,
  });
  await run(bmc.insertMedia("http://192.0.2.1/talos.iso", never));
  assert.equal(replay.at("/redfish/v1/Managers/1/VirtualMedia/2")["Image"], "http://192.0.2.1/talos.iso");
  assert.equal(replay.at("/redfish/v1/Managers/1/VirtualMedia/1")["Inserted"], false, "a floppy is no CD");
  await run(bmc.ejectMedia(never));
  assert.equal(replay.at("/redfish/v1/Managers/1/VirtualMedia/2")["Inserted"], false);
  assert.equal((await run(bmc.secureBoot(never))).isActive, true);
  await run(bmc.setSecureBoot(false, never));
  assert.equal(replay.at("/redfish/v1/Systems/1/SecureBoot")["SecureBootEnable"], false);
});

test("iLO: events are subscribed to with types, where it wants them, and no longer", async () => {
  const replay = new Replay("hpe/ilo6", ilo({ inPost: false }));
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  const path = await run(bmc.subscribe({ destination: "https://192.0.2.1/events", context: "machine-7" }, never));
  assert.equal(replay.at(path)["Context"], "machine-7");
  assert.ok(Array.isArray(replay.at(path)["EventTypes"]));
  await run(bmc.unsubscribe(path, never));
  await run(bmc.unsubscribe(path, never));
  assert.ok(!replay.documents.has(path));
});

test("Supermicro: everything each time, or it falls back; virtual media with nothing but the image, on USB", async () => {
  const replay = new Replay("supermicro/x12", supermicro);
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  await run(bmc.bootOnce({ device: "cd", firmware: "uefi", url: "http://192.0.2.1/talos.iso" }, never));
  const slot = replay.at("/redfish/v1/Managers/1/VirtualMedia/CD1");
  assert.deepEqual([slot["Image"], slot["ConnectedVia"]], ["http://192.0.2.1/talos.iso", "URI"]);
  assert.ok(!replay.log.some((line) => line.includes("EjectMedia")), "an Image that is not connected is no media");
  const boot = replay.at("/redfish/v1/Systems/1")["Boot"];
  assert.ok(isObject(boot));
  assert.deepEqual([boot["BootSourceOverrideTarget"], boot["BootSourceOverrideMode"]], ["UsbCd", "UEFI"]);
  assert.equal(replay.log.filter((line) => line.startsWith("PATCH")).length, 1, "said at once, not after looking");
});

test("Lenovo: the version of what is changed goes along, also when somebody else writes in between; media by PATCH", async () => {
  const state = { writesInBetween: 0 };
  const replay = new Replay("lenovo/xcc", xcc(state));
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  state.writesInBetween = 1;
  await run(bmc.identify(true, never));
  assert.equal(replay.at("/redfish/v1/Systems/1")["LocationIndicatorActive"], true);
  await run(bmc.insertMedia("http://192.0.2.1/talos.iso", never));
  const slot = (name: string): unknown => replay.at(`/redfish/v1/Managers/1/VirtualMedia/${name}`)["Image"];
  assert.deepEqual([slot("EXT1"), slot("EXT2")], ["http://192.0.2.1/talos.iso", null], "what else was in is taken out");
  state.writesInBetween = 100;
  await assert.rejects(run(bmc.identify(false, never)), { code: "bmc.refused", message: /412/ });
});

test("AMI: a service that does not say where its future is has it found all the same", async () => {
  const replay = new Replay("ami/megarac", ami);
  delete replay.at("/redfish/v1/Systems/Self")["@Redfish.Settings"];
  Object.assign(replay.at("/redfish/v1"), { Oem: {}, Product: "Redfish Server" });
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  // Without the vendor's name the first PATCH goes to the system, and is told where to go.
  await run(bmc.bootOnce({ device: "http", firmware: "uefi" }, never));
  const places = replay.log.filter((line) => line.startsWith("PATCH")).map((line) => line.split(" ")[1]);
  assert.equal(places[0], "/redfish/v1/Systems/Self");
  assert.ok(places.slice(1).length > 0 && places.slice(1).every((place) => place === "/redfish/v1/Systems/Self/SD"));
  assert.match(JSON.stringify(replay.at("/redfish/v1/Systems/Self/SD")["Boot"]), /"Once".*"UefiHttp"/);
});

test("OpenBMC: slots for the console alone are passed over, and a hypervisor is no machine", async () => {
  const replay = new Replay("openbmc/bmcweb");
  const { bmc, run } = connect(replay.handler, { credentials: { user: USER, password: PASSWORD } });
  await run(bmc.insertMedia("http://192.0.2.1/talos.iso", never));
  assert.equal(replay.at("/redfish/v1/Managers/bmc/VirtualMedia/Slot_2")["Inserted"], true);
  assert.equal(replay.at("/redfish/v1/Managers/bmc/VirtualMedia/Slot_0")["Inserted"], null);
  await assert.rejects(run(bmc.bootOnce({ device: "http", firmware: "uefi" }, never)), {
    code: "bmc.unsupported",
    message: /cannot be started from http by uefi: it knows None, Pxe/,
  });
});
