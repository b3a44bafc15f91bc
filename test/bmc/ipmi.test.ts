/** Our client against our simulated BMC: what it can do, and what it says when it cannot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpmiOptions } from "#bmc/ipmi/ipmi.ts";
import { Fault } from "#std/fault.ts";
import { setUserAccess, setUserName, setUserPassword } from "#wire/ipmi/app/user.ts";
import { call } from "#wire/ipmi/command.ts";
import { CHASSIS, NET_FN, SENSOR } from "#wire/ipmi/constants.ts";
import { readSel } from "#wire/ipmi/storage/sel.ts";
import {
  encodeVlan,
  LAN_PARAMETER,
  readCipherEntries,
  readCipherPrivileges,
  readIpv4,
  readMac,
  readVlan,
} from "#wire/ipmi/transport/lan-parameter.ts";
import { getLanParameter, setLanParameter } from "#wire/ipmi/transport/lan.ts";
import { makeModel, COMMON_MODEL } from "../../sim/bmc/ipmi/model.ts";
import { makeWorld, NEVER, USER, UUID } from "./ipmi-fixture.ts";
import { client, serve } from "./ipmi-real.ts";

/** `code retry fault` of what it rejects with. */
async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  assert.ok(Fault.is(error), String(error));
  assert.ok(!error.message.includes(USER.password), "no secrets in messages");
  return `${error.code} ${error.retry} ${error.fault}`;
}

const WAYS: readonly {
  readonly name: string;
  readonly suites?: readonly number[];
  readonly types15?: readonly number[];
  readonly options: Partial<IpmiOptions>;
}[] = [
  { name: "suite 17", options: {} },
  { name: "suite 17, which is asked for", options: { cipherSuite: 17 } },
  { name: "suite 3, which is all there is", suites: [3], options: {} },
  { name: "suite 3, which is asked for", options: { cipherSuite: 3 } },
  { name: "suite 0, which is asked for", suites: [0], options: { cipherSuite: 0 } },
  { name: "IPMI 1.5", options: { interface: "lan" } },
  { name: "IPMI 1.5, straight password", types15: [4], options: { interface: "lan", cipherSuite: 0 } },
  { name: "IPMI 1.5, no authentication, which is asked for", types15: [0], options: { interface: "lan", cipherSuite: 0 } },
];

for (const { name, options, ...has } of WAYS) {
  test(`power, boot device and light: ${name}`, async () => {
    const world = await makeWorld(has);
    const { chassis, served, finish } = world;
    const bmc = world.client(options);
    assert.equal(await finish(bmc.power(NEVER)), "off");
    await finish(bmc.command("on", NEVER));
    assert.equal(await finish(bmc.power(NEVER)), "on");
    await finish(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, NEVER));
    await finish(bmc.command("cycle", NEVER));
    assert.deepEqual(served.bmc.takeBoot(), { isValid: true, persistent: false, efi: true, device: 1 });
    assert.equal(served.bmc.takeBoot(), undefined, "once");
    await finish(bmc.command("soft-off", NEVER));
    assert.deepEqual(chassis.done, ["on", "cycle", "soft-off"]);
    await finish(bmc.identify(true, NEVER));
    assert.equal(served.bmc.light, 2);
    assert.equal(served.bmc.sessions.open.size, 1, "one session for all");
    await finish(bmc.close());
    assert.equal(served.bmc.sessions.open.size, 0);
    assert.equal(await finish(bmc.power(NEVER)), "off", "and it can be opened again");
    await finish(bmc.close());
    assert.deepEqual(bmc.quirks, []);
  });
}

test("what it is and how it is", async () => {
  const world = await makeWorld();
  const { chassis, finish } = world;
  const bmc = world.client({ machine: UUID });
  assert.deepEqual(await finish(bmc.capabilities(NEVER)), {
    protocol: "ipmi",
    actions: ["on", "off", "soft-off", "cycle", "reset"],
    bootDevices: ["pxe", "disk", "cd"],
    identify: true,
    sensors: true,
    console: true,
    virtualMedia: false,
  });
  assert.deepEqual(await finish(bmc.inventory(NEVER)), {
    manufacturer: "Maker",
    model: "Server 9",
    serial: "SN-9",
    uuid: UUID,
    firmwareVersion: "2.61",
  });
  chassis.readings = new Map<number, number | null>([
    [1, 96],
    [2, null],
    [5, 0x0009],
  ]);
  assert.deepEqual(await finish(bmc.health(NEVER)), {
    overall: "critical",
    sensors: [
      { name: "CPU1 Temp", health: "critical", value: 96, unit: "°C" },
      { name: "Inlet Temp", health: "unknown", text: "no reading" },
      { name: "FAN1", health: "ok", value: 6000, unit: "RPM" },
      { name: "12V", health: "ok", value: 12.028, unit: "V" },
      { name: "PSU1 Status", health: "critical", text: "present, no input" },
    ],
  });
  const before = world.sent();
  chassis.readings.clear();
  assert.equal((await finish(bmc.health(NEVER))).overall, "ok");
  assert.ok(world.sent() - before <= 8, "records are read once");
  await finish(bmc.close());
});

test("the order of the GUID's bytes is settled by the UUID that is known", async () => {
  const rfc = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);
  rfc[6] = 0x4a;
  rfc[8] = 0x80;
  const uuid = "10111213-1415-4a17-8019-1a1b1c1d1e1f";
  for (const guid of [rfc, rfc.toReversed()]) {
    const world = await makeWorld({ guid });
    const bmc = world.client({ machine: uuid });
    assert.equal((await world.finish(bmc.inventory(NEVER))).uuid, uuid);
    await world.finish(bmc.close());
  }
});

test("who is not let in is told why", async () => {
  const world = await makeWorld();
  const { finish } = world;
  const attempt = (options: Partial<IpmiOptions>): Promise<string> => {
    const bmc = world.client(options);
    return finish(failure(bmc.power(NEVER)));
  };
  for (const way of [{}, { cipherSuite: 3 }] as const) {
    assert.equal(await attempt({ ...way, credentials: { ...USER, password: "wrong" } }), "bmc.denied later caller");
    assert.equal(await attempt({ ...way, credentials: { ...USER, user: "nobody" } }), "bmc.denied later caller");
    assert.equal(await attempt({ ...way, credentials: { user: "guest", password: "guest" } }), "bmc.denied later caller");
  }
  assert.equal(await attempt({ interface: "lan", credentials: { ...USER, user: "nobody" } }), "bmc.denied later caller");
  // IPMI 1.5 leaves a wrong password without an answer.
  assert.equal(await attempt({ interface: "lan", credentials: { ...USER, password: "wrong" } }), "bmc.unreachable soon world");
  assert.equal(await attempt({ credentials: { ...USER, password: "p".repeat(21) } }), "bmc.denied never caller");
  assert.equal(await attempt({ cipherSuite: 0 }), "bmc.unsupported never peer");
  const guest = world.client({ credentials: { user: "guest", password: "guest" }, privilege: 2 });
  assert.equal(await finish(guest.power(NEVER)), "off");
  assert.equal(await finish(failure(guest.command("on", NEVER))), "bmc.denied later caller");
  await finish(guest.close());
});

test("nothing without authentication, unless it is asked for", async () => {
  const world = await makeWorld({ suites: [0], speaks15: false });
  const bmc = world.client();
  assert.equal(await world.finish(failure(bmc.power(NEVER))), "bmc.unsupported never peer");
});

test("nothing without authentication by IPMI 1.5 either", async () => {
  // Nor a password in the clear, which anybody who answers could ask for.
  for (const types15 of [[0], [4], [0, 4]]) {
    const world = await makeWorld({ types15 });
    assert.equal(await world.finish(failure(world.client({ interface: "lan" }).power(NEVER))), "bmc.unsupported never peer");
  }
});

test("old BMCs: one that never tells its suites, one that speaks 1.5 alone", async () => {
  const silent = await makeWorld({
    suites: [3],
    faults: { refuse: (netFn, command) => (netFn === NET_FN.app && command === 0x54 ? 0xc1 : undefined) },
  });
  const bmc = silent.client();
  assert.equal(await silent.finish(bmc.power(NEVER)), "off", "17 is tried, then 3");
  await silent.finish(bmc.close());
  const old = await makeWorld({ speaks20: false });
  assert.equal(await old.finish(failure(old.client().power(NEVER))), "bmc.unsupported never peer");
  const lan = old.client({ interface: "lan" });
  assert.equal(await old.finish(lan.power(NEVER)), "off");
  await old.finish(lan.close());
});

test("a BMC with a key of its own", async () => {
  const key = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
  const world = await makeWorld({ key });
  assert.equal(await world.finish(failure(world.client().power(NEVER))), "bmc.denied later caller");
});

test("a dead BMC is given up in ten seconds", async () => {
  const world = await makeWorld({ faults: { incoming: () => ({ lost: true }) } });
  const begun = world.clock.monotonic();
  assert.equal(await world.finish(failure(world.client().power(NEVER))), "bmc.unreachable soon world");
  assert.ok(world.clock.monotonic() - begun < 10_000);
});

test("a bad network: what is lost, doubled and late does no harm", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = await makeWorld({}, { seed, loss: 0.1, duplication: 0.2, delay: 100 });
    const { chassis, finish } = world;
    for (const options of [{}, { interface: "lan" as const }]) {
      const bmc = world.client(options);
      const begun = chassis.done.length;
      assert.equal(await finish(bmc.power(NEVER)), chassis.on ? "on" : "off");
      await finish(bmc.command("on", NEVER));
      await finish(bmc.command("cycle", NEVER));
      await finish(bmc.bootOnce({ device: "disk", firmware: "bios" }, NEVER));
      assert.deepEqual(chassis.done.slice(begun), ["on", "cycle"], "a command that comes again is not done again");
      await finish(bmc.close());
    }
  }
});

test("a BMC that forgot the session is logged into anew", async () => {
  const world = await makeWorld();
  const { finish } = world;
  const bmc = world.client();
  await finish(bmc.power(NEVER));
  world.served.bmc.reset();
  await world.clock.advance(30_000);
  assert.equal(await finish(bmc.power(NEVER)), "off", "after a while it is asked whether it knows us");
  world.served.bmc.reset();
  assert.equal(await finish(failure(bmc.power(NEVER))), "bmc.unreachable soon world");
  assert.equal(await finish(bmc.power(NEVER)), "off");
  await finish(bmc.close());
});

test("no session left, busy, and refused", async () => {
  const world = await makeWorld({ sessions: 1 });
  const { finish, served } = world;
  const first = world.client();
  await finish(first.power(NEVER));
  assert.equal(await finish(failure(world.client().power(NEVER))), "bmc.busy soon peer");
  assert.equal(await finish(failure(world.client({ interface: "lan" }).power(NEVER))), "bmc.busy soon peer");
  let busy = 2;
  served.bmc.faults = { refuse: (netFn) => (netFn === NET_FN.chassis && busy-- > 0 ? 0xc0 : undefined) };
  assert.equal(await finish(first.power(NEVER)), "off", "busy for a moment");
  busy = 100;
  assert.equal(await finish(failure(first.power(NEVER))), "bmc.busy soon peer");
  served.bmc.faults = { refuse: (_, command) => (command === CHASSIS.control ? 0xd5 : undefined) };
  assert.equal(await finish(failure(first.command("on", NEVER))), "bmc.refused later peer");
  await finish(first.command("off", NEVER));
  await finish(first.close());
});

test("a boot device is read back: lost, kept in part, or not to be asked for", async () => {
  const world = await makeWorld({ faults: { forgetsBoot: () => true } });
  const told: string[] = [];
  const bmc = world.client({ onQuirk: (text) => told.push(text) });
  const boot = { device: "pxe", firmware: "uefi" } as const;
  assert.equal(await world.finish(failure(bmc.bootOnce(boot, NEVER))), "bmc.not-verified soon peer");
  assert.equal(
    await world.finish(failure(bmc.bootOnce({ device: "http", firmware: "uefi", url: "http://x/" }, NEVER))),
    "bmc.unsupported never peer",
  );
  world.served.bmc.faults = { refuse: (_, command) => (command === CHASSIS.getSystemBootOptions ? 0xc1 : undefined) };
  await world.finish(bmc.bootOnce(boot, NEVER));
  await world.finish(bmc.bootOnce(boot, NEVER));
  assert.deepEqual(told, bmc.quirks);
  assert.match(told[0] ?? "", /cannot be asked/);
  await world.finish(bmc.close());
});

test("an override lasts longer than the minute of the specification", async () => {
  const world = await makeWorld();
  const bmc = world.client();
  await world.finish(bmc.bootOnce({ device: "pxe", firmware: "bios" }, NEVER));
  await world.clock.advance(120_000);
  assert.equal(world.served.bmc.takeBoot()?.device, 1);
  await world.finish(bmc.close());
});

test("who began to set boot options and never ended does not keep others out", async () => {
  const world = await makeWorld();
  world.served.bmc.boot.write(0, [1]);
  const bmc = world.client();
  await world.finish(bmc.bootOnce({ device: "cd", firmware: "bios" }, NEVER));
  assert.deepEqual([world.served.bmc.takeBoot()?.device, world.served.bmc.boot.read(0)], [5, [0]]);
  await world.finish(bmc.close());
});

test("a BMC that takes its time, and one that hangs for a while", async () => {
  const world = await makeWorld({ faults: { outgoing: () => ({ late: 1200 }) } });
  const bmc = world.client();
  await world.finish(bmc.command("on", NEVER));
  await world.finish(bmc.command("cycle", NEVER));
  assert.deepEqual(world.chassis.done, ["on", "cycle"], "what was asked again is not done again");
  assert.equal(await world.finish(bmc.power(NEVER)), "on");
  world.served.bmc.faults = { incoming: () => ({ lost: true }) };
  const work = bmc.power(NEVER);
  await world.clock.advance(4000);
  world.served.bmc.faults = {};
  assert.equal(await world.finish(work), "on");
  await world.finish(bmc.close());
  assert.equal(world.served.bmc.sessions.open.size, 0);
});

test("Supermicro's UEFI has another selector for the disk", async () => {
  const world = await makeWorld({ model: makeModel({ ...COMMON_MODEL, manufacturer: 10876 }) });
  const bmc = world.client();
  await world.finish(bmc.bootOnce({ device: "disk", firmware: "uefi" }, NEVER));
  assert.equal(world.served.bmc.boot.read(5)?.[1], 0x24);
  await world.finish(bmc.bootOnce({ device: "disk", firmware: "bios" }, NEVER));
  assert.equal(world.served.bmc.boot.read(5)?.[1], 0x08);
  await world.finish(bmc.close());
});

test("who gives up leaves no session behind", async () => {
  for (let after = 0; after < 12; after++) {
    const world = await makeWorld({}, { seed: 1, delay: 10 });
    const bmc = world.client();
    const abort = new AbortController();
    const work = bmc.power(abort.signal).catch((error: unknown) => error);
    await world.clock.advance(after * 10);
    abort.abort(new Error("enough"));
    await world.clock.advance(0);
    const outcome = await world.finish(work);
    assert.ok(outcome === "off" || (outcome as Error).message === "enough", String(outcome));
    await world.finish(bmc.close());
    const { open, half } = world.served.bmc.sessions;
    assert.deepEqual([open.size, half.size], [0, 0], `after ${after * 10} ms`);
  }
});

test("a BMC that never answered is left at once", async () => {
  const world = await makeWorld({ faults: { incoming: () => ({ lost: true }) } });
  const bmc = world.client();
  const work = failure(bmc.power(NEVER));
  await world.clock.advance(100);
  const begun = world.clock.monotonic();
  await world.finish(bmc.close());
  assert.ok(world.clock.monotonic() - begun < 100);
  assert.equal(await world.finish(work), "bmc.unreachable soon world");
  const abort = new AbortController();
  const waiting = [bmc.power(NEVER).catch(() => {}), bmc.power(abort.signal).catch((error: unknown) => error)] as const;
  abort.abort(new Error("enough"));
  assert.match(String(await waiting[1]), /enough/, "also when others are before it");
  await world.finish(bmc.close());
});

test("a sensor that is refused does not hide the others", async () => {
  const world = await makeWorld({
    faults: { refuse: (netFn, command) => (netFn === NET_FN.sensor && command === SENSOR.getSensorReading ? 0xcb : undefined) },
  });
  const bmc = world.client();
  const { overall, sensors } = await world.finish(bmc.health(NEVER));
  assert.equal(overall, "ok", "the chassis says so");
  assert.ok(sensors.length === 5 && sensors.every(({ health }) => health === "unknown"));
  await world.finish(bmc.close());
});

test("two who read the sensors at once take each other's reservation, and both get there", async () => {
  const world = await makeWorld({}, { seed: 5, delay: 10 });
  const all = [world.client(), world.client()];
  const healths = await world.finish(Promise.all(all.map((bmc) => bmc.health(NEVER))));
  for (const { sensors } of healths) assert.equal(sensors.length, 5);
  for (const bmc of all) await world.finish(bmc.close());
});

test("the serial console, with what is lost on the way", async () => {
  for (const loss of [0, 0.15]) {
    const world = await makeWorld({}, { seed: 3, loss, duplication: loss, delay: 30 });
    const { chassis, clock, finish } = world;
    const bmc = world.client();
    const console = await finish(bmc.console(NEVER));
    let seen = "";
    const reading = (async () => {
      for await (const bytes of console.output) seen += Buffer.from(bytes).toString("latin1");
    })();
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i} of what it prints\r\n`);
    for (const line of lines) {
      chassis.print(line);
      await clock.advance(5);
    }
    const text = "x".repeat(300) + "and a command\n";
    await finish(console.write(new TextEncoder().encode(text)));
    assert.equal(chassis.text, text);
    await clock.advance(60_000);
    assert.equal(seen, lines.join(""));
    assert.equal(await finish(bmc.power(NEVER)), "off", "besides, the BMC can be asked");
    await clock.advance(300_000);
    assert.ok(
      [...world.served.bmc.sessions.open.values()].some(({ sol }) => sol !== undefined),
      "it stays open in silence",
    );
    assert.equal(await finish(failure(world.client().console(NEVER))), "bmc.busy soon peer", "one at a time");
    await finish(console.close());
    await reading;
    await finish(bmc.close());
    if (loss === 0) assert.equal(world.served.bmc.sessions.open.size, 0);
    await assert.rejects(console.write(Uint8Array.of(1)), (error) => Fault.is(error, "bmc.refused"));
  }
});

test("what has no words of its own: the event log, users, network", async () => {
  const world = await makeWorld({ lan: { address: "10.0.0.9", mac: "52:54:00:00:00:09" } });
  const { finish, served } = world;
  const bmc = world.client();
  for (const asserted of [0x6f, 0xef]) served.bmc.log(0x08, 0x05, asserted, [1, 0xff, 0xff]);
  const log = await finish(readSel(bmc.channel, 10));
  assert.deepEqual(
    log.map(({ record, at, sensor, eventType, asserted }) => [record, at, sensor, eventType, asserted]),
    [
      [1, Math.floor(world.clock.now() / 1000), 5, 0x6f, true],
      [2, Math.floor(world.clock.now() / 1000), 5, 0x6f, false],
    ],
  );
  assert.equal((await finish(readSel(bmc.channel, 1))).length, 1);
  for (const channel of [bmc.channel, served.bmc.channel]) {
    const get = (parameter: number, set = 0): Promise<Uint8Array> =>
      finish(call(channel, getLanParameter, { channel: 1, parameter, set }));
    assert.equal(readIpv4(await get(LAN_PARAMETER.address)), "10.0.0.9");
    assert.equal(readMac(await get(LAN_PARAMETER.mac)), "52:54:00:00:00:09");
    assert.equal(readVlan(await get(LAN_PARAMETER.vlan)), channel === bmc.channel ? undefined : 5);
    await finish(call(channel, setLanParameter, { channel: 1, parameter: LAN_PARAMETER.vlan, data: encodeVlan(5) }));
    assert.equal(readVlan(await get(LAN_PARAMETER.vlan)), 5);
    const count = (await get(LAN_PARAMETER.cipherSuiteCount))[0]!;
    assert.deepEqual(readCipherEntries(await get(LAN_PARAMETER.cipherSuites), count), [3, 17]);
    assert.deepEqual(readCipherPrivileges(await get(LAN_PARAMETER.cipherSuitePrivileges)).slice(0, 3), [4, 4, 0]);
  }
  const inside = served.bmc.channel;
  await call(inside, setUserName, { user: 5, name: "agent" });
  await call(inside, setUserPassword, { user: 5, operation: "set", password: "twenty bytes of text" });
  await call(inside, setUserPassword, { user: 5, operation: "enable" });
  const agent = (): Promise<unknown> =>
    world.client({ credentials: { user: "agent", password: "twenty bytes of text" } }).power(NEVER);
  assert.equal(await finish(failure(agent())), "bmc.denied later caller", "no access yet");
  const access = { channel: 1, user: 5, onlyCallback: false, linkAuthentication: true, messaging: true, privilege: 4 };
  await call(inside, setUserAccess, access);
  assert.equal(await finish(agent()), "off");
  await finish(bmc.close());
});

test("by IPv6, on sockets, however the address is written", async () => {
  const served = await serve({ host: "::1" });
  const bmc = client(served.port, { host: "0:0:0:0:0:0:0:1" });
  assert.equal(await bmc.power(AbortSignal.timeout(10_000)), "off");
  await bmc.close();
  assert.equal(served.bmc.sessions.open.size, 0);
  await served.close();
});

test("a console ends when the BMC ends it", async () => {
  const world = await makeWorld();
  const console = await world.finish(world.client().console(NEVER));
  const reading = (async () => {
    for await (const _ of console.output);
  })();
  const holder = [...world.served.bmc.sessions.open.values()][0]!;
  holder.sol!.end(true);
  holder.sol = undefined;
  await world.finish(reading);
});
