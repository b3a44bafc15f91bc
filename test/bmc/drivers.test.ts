/** The fleet with the drivers it really has, against simulated BMCs, in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDrivers } from "#bmc/drivers.ts";
import { createFleet } from "#bmc/fleet.ts";
import type { BootOnce, PowerAction, PowerState, Sensor } from "#decide/power.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { systemCrypto as crypto } from "#io/node/crypto.ts";
import type { Handler } from "#io/serve.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { createHttpPowerHandler } from "../../sim/bmc/http-power/handler.ts";
import { createRedfishHandler } from "../../sim/bmc/redfish/handler.ts";
import type { RedfishMachine } from "../../sim/bmc/redfish/machine.ts";
import { power, PXE } from "./world.ts";

class Machine implements RedfishMachine {
  readonly uuid = "0b0e7e3c-6f5c-4f0e-8a33-8f4f6f1d2c3b";
  readonly manufacturer = "Sidero";
  readonly model = "Simulated";
  readonly serial = "SIM-0001";
  readonly firmwareVersion = "1.0";
  readonly macs = ["52:54:00:00:00:01"];
  readonly user = "admin";
  password = "secret";
  state: PowerState = "off";
  once: BootOnce | undefined;
  readonly starts: (string | undefined)[] = [];
  power = (): PowerState => this.state;
  command(action: PowerAction): void {
    if (action === "off" || action === "soft-off") this.state = "off";
    else {
      this.state = "on";
      this.starts.push(this.once?.device);
      this.once = undefined;
    }
  }
  bootOnce = (): BootOnce | undefined => this.once;
  setBootOnce = (boot: BootOnce | undefined): void => void (this.once = boot);
  setPxeOnce = (): void => void (this.once = { device: "pxe", firmware: "uefi" });
  light = (): boolean => false;
  setLight = (): void => {};
  media = (): undefined => undefined;
  setMedia = (): void => {};
  sensors = (): Sensor[] => [{ name: "CPU", value: 41, unit: "°C", health: "ok" }];
}

/** `handlers`: by server. */
function start(handlers: Readonly<Record<string, Handler>>, dice?: { explicit: number; silent: number }) {
  const clock = new VirtualClock();
  const entropy = new SeededEntropy(7);
  const { openUdp, interfaces } = new MemoryNetwork().host();
  const transports = { open: 0 };
  const makeBmc = createDrivers(
    {
      openUdp,
      openHttp: ({ server }) => {
        transports.open++;
        const inner = createMemoryTransport(handlers[server]!);
        return { request: (request) => inner.request(request), close: () => inner.close().finally(() => transports.open--) };
      },
      resolve: async (host) => host,
      crypto,
      clock,
      entropy,
      log: silent,
    },
    dice === undefined ? {} : { dice },
  );
  const meter = { add: () => {}, set: () => {}, observe: () => {} };
  const fleet = createFleet({
    makeBmc,
    readSecret: () => Promise.reject(new Fault("bmc.no-credentials", "none", { fault: "caller", retry: "later" })),
    openUdp,
    interfaces,
    clock,
    entropy,
    log: silent,
    metrics: { counter: () => meter, gauge: () => meter, histogram: () => meter },
    witness: () => {},
  });
  const follow = (spec: Partial<NonNullable<Server["spec"]>>): void =>
    fleet.follow(
      { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name: "m1" }, spec: { accepted: true, ...spec } },
      "",
    );
  /** In steps, for what waits for nothing but its turn. */
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count * 10; i++) await clock.advance(100);
  };
  return { fleet, transports, follow, seconds };
}

test("Redfish: started from the network, looked at, and at rest without a session", async () => {
  const machine = new Machine();
  const sessions = { begun: 0, ended: 0 };
  const asked = new Set<string>();
  const handler = createRedfishHandler({
    machine,
    token: () => `token-${sessions.begun}`,
    before: async ({ method, target }) => {
      asked.add(target);
      if (method === "POST" && target.endsWith("/Sessions")) sessions.begun++;
      if (method === "DELETE") sessions.ended++;
      return undefined;
    },
  });
  const { fleet, transports, follow, seconds } = start({ "https://10.0.0.1": handler });
  follow({ bmc: { endpoint: "redfish://10.0.0.1", user: "admin", pass: "secret" } });
  await seconds(5);
  const { inventory, capabilities, power: first, breaker } = fleet.facts("m1");
  assert.deepEqual([first, inventory?.serial, capabilities?.protocol], ["off", "SIM-0001", "redfish"], breaker.error ?? "");
  fleet.begin("m1", { id: "op", steps: [PXE, power("on")], urgency: "lifecycle" });
  await seconds(20);
  assert.equal(fleet.facts("m1").operation?.state, "done");
  assert.deepEqual(machine.starts, ["pxe"]);
  await seconds(400);
  assert.deepEqual([sessions.begun > 0, sessions.begun - sessions.ended, transports.open], [true, 0, 0]);
  asked.clear();
  const before = sessions.begun;
  await seconds(300);
  assert.equal(sessions.begun, before + 1, "one reading, in a session of its own");
  assert.ok(asked.has("/redfish/v1/Systems/1"));
  for (const target of ["/redfish/v1", "/redfish/v1/", "/redfish/v1/Systems", "/redfish/v1/Managers"])
    assert.ok(!asked.has(target), `${target}: what is where is known`);
  machine.password = "rotated";
  await seconds(400);
  assert.match(fleet.facts("m1").breaker.error ?? "", /does not take/);
  follow({ bmc: { endpoint: "redfish://10.0.0.1", user: "admin", pass: "rotated" } });
  await seconds(5);
  assert.deepEqual([fleet.facts("m1").breaker.state, fleet.facts("m1").power], ["closed", "on"]);
  await Promise.all([fleet.close(), seconds(6)]);
  assert.deepEqual(
    [sessions.begun - sessions.ended, transports.open],
    [1, 0],
    "the one whose password was changed ends by itself",
  );
});

test("the power API of virtual machines, also with its dice", async () => {
  const machine = new Machine();
  const handlers = { "http://172.20.0.1:34791": createHttpPowerHandler(machine) };
  const world = start(handlers);
  world.follow({ managementApi: { endpoint: "172.20.0.1:34791" } });
  await world.seconds(2);
  assert.equal(world.fleet.facts("m1").power, "off");
  world.fleet.begin("m1", { id: "on", steps: [PXE, power("on")], urgency: "lifecycle" });
  await world.seconds(10);
  world.fleet.begin("m1", { id: "cycle", steps: [PXE, power("cycle")], urgency: "lifecycle" });
  await world.seconds(10);
  assert.deepEqual([machine.starts, world.fleet.facts("m1").operation?.state], [["pxe", "pxe"], "done"]);
  await world.fleet.close();

  const unlucky = start(handlers, { explicit: 0.3, silent: 0 });
  unlucky.follow({ managementApi: { endpoint: "172.20.0.1:34791" } });
  for (let i = 0; i < 10; i++) {
    unlucky.fleet.begin("m1", { id: `op${i}`, steps: [PXE, power("cycle")], urgency: "user" });
    await unlucky.seconds(200);
    assert.equal(unlucky.fleet.facts("m1").operation?.state, "done", unlucky.fleet.facts("m1").operation?.error?.message ?? "");
  }
  await unlucky.fleet.close();
});
