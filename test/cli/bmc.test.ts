/** `sidero bmc` and `sidero console` on an API server in this process, with a BMC in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BmcConsole, OpenedBmc, RawTerminal } from "#cli/bmc.ts";
import { runConsole, showBmc } from "#cli/bmc.ts";
import type { Terminal } from "#cli/terminal.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld } from "../kube/world.ts";

const fault = (code: string, message: string): Fault => new Fault(code, message, { fault: "peer", retry: "later" });

async function start(change: Partial<OpenedBmc> = {}) {
  const world = await startWorld();
  await world.client.for(Server).create({ metadata: { name: "m1" }, spec: { accepted: true, hostname: "rack1-7" } });
  const lines: string[] = [];
  const terminal: Terminal = {
    client: world.client,
    print: (line) => void lines.push(line),
    style: (_, text) => text,
    now: () => 0,
  };
  let closed = 0;
  const bmc: OpenedBmc = {
    address: "ipmi://10.0.0.1",
    power: async () => "on",
    capabilities: async () => ({
      protocol: "ipmi",
      actions: ["on", "off"],
      bootDevices: ["pxe"],
      identify: true,
      sensors: true,
      console: true,
      virtualMedia: false,
    }),
    inventory: async () => ({ manufacturer: "ACME\u001b[2J", model: "R1", serial: "7" }),
    health: async () => ({
      overall: "warning",
      sensors: [
        { name: "CPU1 Temp", value: 41, unit: "°C", health: "ok" },
        { name: "FAN1", value: 0, unit: "RPM", health: "critical" },
        { name: "Intrusion", text: "open", health: "warning" },
      ],
    }),
    console: () => Promise.reject(fault("bmc.unsupported", "none")),
    close: async () => void closed++,
    ...change,
  };
  return { world, terminal, lines, openBmc: async () => bmc, closed: () => closed };
}

test("sidero bmc shows what the BMC says now", async () => {
  const { world, terminal, lines, openBmc, closed } = await start();
  await showBmc("rack1-7", terminal, openBmc);
  assert.deepEqual(lines, [
    "m1  rack1-7",
    "  BMC         ipmi://10.0.0.1",
    "  power       on",
    "  machine     ACME\ufffd[2J, R1, serial 7",
    "  can         power: on, off",
    "              start from: pxe",
    "              identify, serial console",
    "  health      warning",
    "    CPU1 Temp  41 °C  ok",
    "    FAN1       0 RPM  critical",
    "    Intrusion   open  warning",
  ]);
  assert.equal(closed(), 1);
  await world.stop();
});

test("what cannot be read is said where it would stand; who does not let us in is not asked for more", async () => {
  const { world, terminal, lines, openBmc } = await start({ inventory: () => Promise.reject(fault("bmc.refused", "0xC1")) });
  await showBmc("m1", terminal, openBmc);
  assert.ok(lines.includes("  machine     0xC1"));
  await world.stop();
  const other = await start({ power: () => Promise.reject(fault("bmc.denied", "wrong password")) });
  await assert.rejects(showBmc("m1", other.terminal, other.openBmc), { code: "bmc.denied" });
  assert.deepEqual([other.lines, other.closed()], [[], 1]);
  await other.world.stop();
});

/** A console that echoes, and a person who types these one after the other. */
function echoing(keys: readonly string[], endsAfter = Number.POSITIVE_INFINITY) {
  const [screen, echoed]: [string[], string[]] = [[], []];
  let wake = (): void => {};
  let isClosed = false;
  const console: BmcConsole = {
    output: (async function* () {
      for (let i = 0; !isClosed; i++) {
        if (i >= endsAfter) return;
        while (echoed.length <= i && !isClosed) await new Promise<void>((resolve) => (wake = resolve));
        if (echoed[i] !== undefined) yield new TextEncoder().encode(echoed[i]);
      }
    })(),
    write: async (bytes) => {
      echoed.push(new TextDecoder().decode(bytes));
      wake();
    },
    close: async () => {
      isClosed = true;
      wake();
    },
  };
  let isOpen = true;
  const raw: RawTerminal = {
    keys: (async function* () {
      for (const key of keys) {
        await new Promise((resolve) => setImmediate(resolve));
        yield new TextEncoder().encode(key);
      }
      await new Promise(() => {});
    })(),
    show: (bytes) => void screen.push(new TextDecoder().decode(bytes)),
    close: () => void (isOpen = false),
  };
  return { console, raw, screen, isOpen: () => isOpen, isClosed: () => isClosed };
}

test("sidero console hands everything through, until ~. is typed", async () => {
  const { console, raw, screen, isOpen, isClosed } = echoing(["ls\r", "~?", "~~\r", "~."]);
  const { world, terminal, lines, openBmc, closed } = await start({ console: async () => console });
  await runConsole("m1", terminal, openBmc, async () => raw);
  assert.equal(screen.join(""), "ls\r\r\n[~. ends the console, ~~ is a tilde; both at the beginning of a line]\r\n~\r");
  assert.deepEqual([isOpen(), isClosed(), closed()], [false, true, 1]);
  assert.match(lines[0]!, /console of m1 by ipmi:\/\/10\.0\.0\.1/);
  await world.stop();
});

test("sidero console ends when the machine's side does, and gives the terminal back when it breaks", async () => {
  const ending = echoing(["x"], 1);
  const first = await start({ console: async () => ending.console });
  await runConsole("m1", first.terminal, first.openBmc, async () => ending.raw);
  assert.equal(ending.isOpen(), false);
  await first.world.stop();
  const breaking = echoing(["x"]);
  const second = await start({
    console: async () => ({
      ...breaking.console,
      output: breaking.console.output,
      write: () => Promise.reject(fault("bmc.unreachable", "gone")),
    }),
  });
  await assert.rejects(
    runConsole("m1", second.terminal, second.openBmc, async () => breaking.raw),
    { code: "bmc.unreachable" },
  );
  assert.deepEqual([breaking.isOpen(), breaking.isClosed(), second.closed()], [false, true, 1]);
  await second.world.stop();
});
