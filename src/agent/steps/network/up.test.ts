import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { createAgentLog } from "../agent-log.ts";
import { networkPlan } from "./plan.ts";
import { bringUp, raiseOthers } from "./up.ts";

function rig(mac: string) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const machine = createMemoryMachine();
  const plug = (name: string, address: string): void => {
    machine.files.set(`/sys/class/net/${name}/address`, `${address}\n`);
    machine.files.set(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0");
    machine.files.set(`/sys/devices/pci0000:00/${name}/vendor`, "0x8086\n");
    machine.links.set(`/sys/class/net/${name}/device`, `/sys/devices/pci0000:00/${name}`);
  };
  machine.files.set("/sys/class/net/lo/address", "00:00:00:00:00:00\n");
  const log = createAgentLog(clock, (line) => void lines.push(line));
  const plan = networkPlan([{ name: "sidero.mac", value: mac }]);
  return {
    clock,
    lines,
    machine,
    plug,
    options: { machine, clock, log, plan, family: 4 as const, dhcp6: () => assert.fail("the server is reached by IPv4") },
  };
}

test("waits for its interface and for an address that will do, and says so", async () => {
  const { clock, lines, machine, plug, options } = rig("52:54:00:00:00:02");
  plug("eth0", "52:54:00:00:00:01");
  const up = bringUp(options);
  await clock.advance(11_000);
  assert.equal(lines.filter((line) => line.includes("waiting for interface 52:54:00:00:00:02")).length, 2);
  assert.ok(lines[0]!.includes("there are: eth0 52:54:00:00:00:01"));
  plug("eth1", "52:54:00:00:00:02");
  await clock.advance(6_000);
  assert.ok(machine.ran.includes("ip link set eth1 up"));
  assert.ok(!machine.ran.includes("ip link set eth0 up"), "the others are left alone");
  assert.ok(lines.at(-1)!.includes("waiting for an address on eth1: there is no link"));
  machine.addressed.push({ interface: "eth1", cidr: "169.254.7.7/16", internal: false });
  machine.addressed.push({ interface: "eth1", cidr: "fd00::7/64", internal: false });
  machine.addressed.push({ interface: "eth0", cidr: "10.0.0.9/24", internal: false });
  await clock.advance(1_000);
  machine.addressed.push({ interface: "eth1", cidr: "10.0.0.7/24", internal: false });
  await clock.advance(100);
  assert.deepEqual(await up, { interfaces: ["eth1"], mac: "52:54:00:00:00:02" });
  await raiseOthers(machine, ["eth1"]);
  assert.equal(machine.ran.at(-1), "ip link set eth0 up");
  assert.equal(machine.files.get("/proc/sys/net/ipv6/conf/eth0/disable_ipv6"), "1");
});

test("after a minute any interface will do", async () => {
  const { clock, lines, machine, plug, options } = rig("52:54:00:00:00:02");
  plug("eth0", "52:54:00:00:00:01");
  const up = bringUp(options);
  await clock.advance(61_000);
  machine.addressed.push({ interface: "eth0", cidr: "10.0.0.7/24", internal: false });
  await clock.advance(100);
  assert.deepEqual(await up, { interfaces: ["eth0"], mac: "52:54:00:00:00:02" });
  assert.ok(lines.some((line) => line.includes("no interface has the address 52:54:00:00:00:02, trying eth0")));
});
