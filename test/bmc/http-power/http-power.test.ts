import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpPowerBmc, type PowerDice } from "#bmc/http-power/client.ts";
import type { Bmc } from "#bmc/bmc.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { openHttp } from "#io/node/http-client.ts";
import { listen } from "#io/node/serve.ts";
import type { Handler } from "#io/serve.ts";
import { createHttpPowerHandler } from "../../../sim/bmc/http-power/handler.ts";

const never = new AbortController().signal;
const HONEST: PowerDice = { explicit: 0, silent: 0 };

class Machine {
  isOn = false;
  isPxe = false;
  readonly told: string[] = [];
  readonly handler = createHttpPowerHandler({
    power: () => (this.isOn ? "on" : "off"),
    command: (action) => {
      this.told.push(action);
      this.isOn = action !== "off";
    },
    setPxeOnce: () => (this.isPxe = true),
  });
}

function connect(handler: Handler, dice = HONEST): { bmc: Bmc; clock: VirtualClock } {
  const clock = new VirtualClock();
  const open = (): ReturnType<typeof createMemoryTransport> => createMemoryTransport(handler);
  return { bmc: createHttpPowerBmc({ url: "http://vm.example", open, clock, entropy: new SeededEntropy(3), dice }), clock };
}

test("a virtual machine is switched and started from the network over real sockets", async () => {
  const machine = new Machine();
  const limits = { headers: 5000, idle: 5000, buffered: 1 << 20, stalled: 5000 };
  const listener = await listen({ host: "127.0.0.1", port: 0, limits }, machine.handler);
  const [clock, entropy] = [new VirtualClock(), new SeededEntropy(1)];
  const bmc = createHttpPowerBmc({ url: `http://127.0.0.1:${listener.port}`, open: openHttp, clock, entropy, dice: HONEST });
  try {
    assert.equal(await bmc.power(never), "off");
    await bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never);
    assert.ok(machine.isPxe);
    await bmc.command("cycle", never);
    assert.equal(await bmc.power(never), "on");
    await bmc.command("reset", never);
    await bmc.command("off", never);
    assert.equal(await bmc.power(never), "off");
    assert.deepEqual(machine.told, ["on", "reset", "off"], "a reboot starts what is off");
  } finally {
    await bmc.close();
    await listener.close();
  }
  await assert.rejects(bmc.power(never), { code: "bmc.unreachable", retry: "soon" });
});

test("what it cannot do it says", async () => {
  const { bmc } = connect(new Machine().handler);
  await assert.rejects(bmc.command("soft-off", never), { code: "bmc.unsupported" });
  await assert.rejects(bmc.bootOnce({ device: "cd", firmware: "uefi" }, never), { code: "bmc.unsupported" });
  await assert.rejects(bmc.identify(true, never), { code: "bmc.unsupported" });
  await assert.rejects(bmc.console(never), { code: "bmc.unsupported" });
  const { actions, bootDevices } = await bmc.capabilities(never);
  assert.deepEqual([actions, bootDevices], [["on", "off", "cycle", "reset"], ["pxe"]]);
});

test("an error, nonsense, and silence for ten seconds are told apart", async () => {
  const saying =
    (status: number, text: string): Handler =>
    async () => ({ status, headers: {}, body: [Buffer.from(text)] });
  await assert.rejects(connect(saying(500, "")).bmc.command("on", never), { code: "bmc.refused" });
  await assert.rejects(connect(saying(200, "on")).bmc.power(never), { code: "bmc.malformed" });
  await assert.rejects(connect(saying(200, "{}")).bmc.power(never), { code: "bmc.malformed" });
  await assert.rejects(connect(saying(200, " ".repeat(70_000))).bmc.power(never), { code: "bmc.malformed" });
  const { bmc, clock } = connect(() => new Promise(() => {}));
  const asked = bmc.power(never);
  const refused = assert.rejects(asked, { code: "bmc.unreachable", message: /within 10 s/ });
  await clock.advance(10_000);
  await refused;
});

test("the dice: as often as was asked for, and nothing reaches the machine", async () => {
  const fates = async (dice: PowerDice): Promise<{ failed: number; told: number }> => {
    const machine = new Machine();
    const { bmc } = connect(machine.handler, dice);
    let failed = 0;
    for (let i = 0; i < 1000; i++) {
      await bmc.command("on", never).catch((error: unknown) => {
        assert.match(String(error), /explicit-failure-prob/);
        failed++;
      });
    }
    return { failed, told: machine.told.length };
  };
  assert.deepEqual(await fates(HONEST), { failed: 0, told: 1000 });
  assert.deepEqual(await fates({ explicit: 1, silent: 0 }), { failed: 1000, told: 0 });
  assert.deepEqual(await fates({ explicit: 0, silent: 1 }), { failed: 0, told: 0 });
  const { failed, told } = await fates({ explicit: 0.3, silent: 0.2 });
  assert.ok(failed > 250 && failed < 350, `${failed} of 1000 failed`);
  assert.ok(told > 450 && told < 550, `${told} of 1000 were done`);
});

test("a silent failure tells a power of its own", async () => {
  const { bmc, clock } = connect(new Machine().handler, { explicit: 0, silent: 1 });
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    seen.add(await bmc.power(never));
    await clock.advance(1000);
  }
  assert.deepEqual([...seen].toSorted(), ["off", "on"]);
});
