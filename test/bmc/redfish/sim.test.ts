/** The client and the simulated service against each other in memory, and curl against the simulated service on a socket. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import type { BootOnce } from "#decide/power.ts";
import { listen } from "#io/node/serve.ts";
import { createRedfishHandler } from "../../../sim/bmc/redfish/handler.ts";
import { connect, never } from "./fixture.ts";
import { Machine } from "./machine.ts";

const run = promisify(execFile);

let tokens = 0;
const token = (): string => `token-${++tokens}`;

test("everything a BMC can do, against the simulated service", async () => {
  const machine = new Machine();
  const handler = createRedfishHandler({ machine, token });
  const { bmc, run: end } = connect(handler, { credentials: { user: "admin", password: "secret" } });
  assert.deepEqual(await end(bmc.capabilities(never)), {
    protocol: "redfish",
    actions: ["on", "off", "soft-off", "cycle", "reset"],
    bootDevices: ["pxe", "http", "disk", "cd"],
    identify: true,
    sensors: true,
    console: false,
    virtualMedia: true,
  });
  const { uuid, macs, firmwareVersion } = await end(bmc.inventory(never));
  assert.deepEqual([uuid, macs, firmwareVersion], [machine.uuid, machine.macs, "1.0"]);
  for (const [action, state] of [
    ["on", "on"],
    ["reset", "on"],
    ["cycle", "on"],
    ["soft-off", "off"],
    ["off", "off"],
  ] as const) {
    await end(bmc.command(action, never));
    assert.equal(await end(bmc.power(never)), state);
  }
  const boots: BootOnce[] = [
    { device: "pxe", firmware: "uefi" },
    { device: "pxe", firmware: "bios" },
    { device: "http", firmware: "uefi", url: "http://192.0.2.1/boot.efi" },
    { device: "disk", firmware: "uefi" },
  ];
  for (const boot of boots) {
    await end(bmc.bootOnce(boot, never));
    assert.deepEqual(machine.once, boot);
  }
  await end(bmc.bootOnce({ device: "cd", firmware: "uefi", url: "http://192.0.2.1/talos.iso" }, never));
  assert.deepEqual([machine.once?.device, machine.image], ["cd", "http://192.0.2.1/talos.iso"]);
  await end(bmc.ejectMedia(never));
  assert.equal(machine.image, undefined);
  await end(bmc.identify(true, never));
  assert.ok(machine.isLit);
  const { overall, sensors } = await end(bmc.health(never));
  assert.equal(overall, "warning");
  assert.deepEqual(sensors, machine.sensors());
  await end(bmc.close());
});

test("a service without room for sessions is busy; a wrong password is denied, once", async () => {
  const machine = new Machine();
  const handler = createRedfishHandler({ machine, token, sessions: 1 });
  const credentials = { user: "admin", password: "secret" };
  const first = connect(handler, { credentials });
  assert.equal(await first.run(first.bmc.power(never)), "off");
  const second = connect(handler, { credentials });
  await assert.rejects(second.run(second.bmc.power(never)), { code: "bmc.busy", message: /SessionLimitExceeded/ });
  await first.run(first.bmc.close());
  assert.equal(await second.run(second.bmc.power(never)), "off", "the session that was ended has made room");
  let attempts = 0;
  const counted = createRedfishHandler({
    machine,
    token,
    before: async ({ method }) => {
      if (method === "POST") attempts++;
      return undefined;
    },
  });
  const stranger = connect(counted, { credentials: { user: "admin", password: "wrong" } });
  await assert.rejects(stranger.run(stranger.bmc.power(never)), { code: "bmc.denied", fault: "caller" });
  assert.equal(attempts, 1, "asking twice locks accounts");
});

test("curl: anonymous root, refusals, a session, versions, actions", async () => {
  const machine = new Machine();
  const handler = createRedfishHandler({ machine, token });
  const limits = { headers: 5000, idle: 5000, buffered: 1 << 20, stalled: 5000 };
  const listener = await listen({ host: "127.0.0.1", port: 0, limits }, handler);
  const curl = async (
    path: string,
    ...args: string[]
  ): Promise<{ status: number; headers: string; body: Record<string, unknown> }> => {
    const { stdout } = await run("curl", ["-si", "--max-time", "10", ...args, `http://127.0.0.1:${listener.port}${path}`]);
    const [headers = "", body = ""] = stdout.split("\r\n\r\n", 2);
    return {
      status: Number(headers.split(" ")[1]),
      headers,
      body: body === "" ? {} : (JSON.parse(body) as Record<string, unknown>),
    };
  };
  const json = (method: string, body: unknown): string[] => [
    "-X",
    method,
    "-H",
    "Content-Type: application/json",
    "-d",
    JSON.stringify(body),
  ];
  const SYSTEM = "/redfish/v1/Systems/1";
  try {
    assert.equal((await curl("/redfish/v1/")).body["Vendor"], "Sidero");
    assert.equal((await curl(SYSTEM)).status, 401);
    assert.equal((await curl(SYSTEM, "-u", "admin:wrong")).status, 401);
    const basic = ["-u", "admin:secret"];
    assert.equal((await curl(SYSTEM, ...basic)).body["PowerState"], "Off");
    const login = await curl("/redfish/v1/SessionService/Sessions", ...json("POST", { UserName: "admin", Password: "secret" }));
    assert.equal(login.status, 201);
    const session = ["-H", `X-Auth-Token: ${/x-auth-token: (\S+)/i.exec(login.headers)?.[1]}`];
    const read = await curl(SYSTEM, ...session);
    const etag = /etag: (\S+)/i.exec(read.headers)?.[1] ?? "";
    const boot = json("PATCH", { Boot: { BootSourceOverrideTarget: "Pxe", BootSourceOverrideEnabled: "Once" } });
    assert.equal((await curl(SYSTEM, ...session, ...boot, "-H", 'If-Match: W/"other"')).status, 412);
    assert.equal((await curl(SYSTEM, ...session, ...boot, "-H", `If-Match: ${etag}`)).status, 204);
    assert.deepEqual(machine.once, { device: "pxe", firmware: "uefi" });
    assert.equal((await curl(SYSTEM, ...session, ...boot, "-H", `If-Match: ${etag}`)).status, 412, "it has changed");
    const reset = (type: string): Promise<{ status: number }> =>
      curl(`${SYSTEM}/Actions/ComputerSystem.Reset`, ...session, ...json("POST", { ResetType: type }));
    assert.equal((await reset("Explode")).status, 400);
    assert.equal((await reset("On")).status, 204);
    assert.ok(machine.isOn);
    const expanded = await curl(`${SYSTEM}/EthernetInterfaces?$expand=.($levels=1)`, ...session);
    assert.equal((expanded.body["Members"] as { MACAddress: string }[])[1]!.MACAddress, "52:54:00:00:00:02");
    assert.equal((await curl(`${SYSTEM}/Nothing`, ...session)).status, 404);
    assert.equal((await curl(SYSTEM, ...session, "-X", "PATCH", "-d", "{")).status, 400);
    const place = /location: (\S+)/i.exec(login.headers)?.[1] ?? "";
    assert.equal((await curl(place, ...session, "-X", "DELETE")).status, 204);
    assert.equal((await curl(SYSTEM, ...session)).status, 401);
  } finally {
    await listener.close();
  }
});

test("thousands of services fit in one process", async (context) => {
  const machine = new Machine();
  const before = process.memoryUsage().heapUsed;
  const handlers = Array.from({ length: 5000 }, () => createRedfishHandler({ machine, token }));
  const each = (process.memoryUsage().heapUsed - before) / handlers.length;
  context.diagnostic(`${each.toFixed(0)} bytes of a service that nobody has asked`);
  assert.ok(each < 4096, `${each} bytes`);
  for (const handler of handlers.slice(0, 200)) {
    const { bmc, run: end } = connect(handler, { credentials: { user: "admin", password: "secret" } });
    assert.equal(await end(bmc.power(never)), "off");
    await end(bmc.close());
  }
});
