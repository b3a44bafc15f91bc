/** The agent's DHCPv6 client against dnsmasq, over a cable between two network namespaces. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runDhcp6 } from "#agent/steps/network/dhcp6.ts";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { systemClock } from "#io/node/clock.ts";
import { openUdp } from "#io/node/udp.ts";

const NAMESPACE = "sidero-dhcp6";
const OURS = "siddhcp0";
const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });

const DNSMASQ =
  "--keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=cable --bind-interfaces --pid-file= --no-ping " +
  "--dhcp-range=fd77:6::100,fd77:6::200,64,2m --dhcp-leasefile=/dev/null --log-facility=- --log-dhcp";

test("dnsmasq gives an address, and renews it", { timeout: 60_000 }, async () => {
  ip("netns", "add", NAMESPACE);
  const over = new AbortController();
  let said = "";
  let dnsmasq: ReturnType<typeof spawn> | undefined;
  try {
    ip("link", "add", OURS, "type", "veth", "peer", "name", "cable", "netns", NAMESPACE);
    ip("-n", NAMESPACE, "addr", "add", "fd77:6::1/64", "dev", "cable", "nodad");
    ip("-n", NAMESPACE, "link", "set", "cable", "up");
    ip("link", "set", OURS, "up");
    dnsmasq = spawn("ip", ["netns", "exec", NAMESPACE, "dnsmasq", ...DNSMASQ.split(" ")]);
    for (const stream of [dnsmasq.stdout, dnsmasq.stderr]) stream?.on("data", (text: Buffer) => (said += text.toString()));
    const machine = createMemoryMachine({
      [`/sys/class/net/${OURS}/address`]: readFileSync(`/sys/class/net/${OURS}/address`, "utf8"),
    });
    const lines: string[] = [];
    const log = createAgentLog(systemClock, (line) => void lines.push(line));
    // A clock on which the renewal, a minute away, comes in half a second.
    const clock = {
      ...systemClock,
      after: (delay: number, fire: () => void) => systemClock.after(delay > 20_000 ? 500 : delay, fire),
    };
    const run = runDhcp6({ machine, clock, log, open: openUdp, chance: Math.random, signal: over.signal }, OURS);
    const renewed = (): boolean => said.includes("DHCPRENEW");
    for (let waited = 0; waited < 300 && !renewed(); waited++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(renewed(), `${said}\n${lines.join("\n")}`);
    assert.equal(machine.ran.length, 1, machine.ran.join("\n"));
    assert.match(machine.ran[0]!, new RegExp(`^ip -6 addr add fd77:6::1[0-9a-f]{2}/128 dev ${OURS}$`));
    over.abort(new Error("done"));
    await run;
  } finally {
    over.abort(new Error("done"));
    dnsmasq?.kill("SIGTERM");
    ip("netns", "del", NAMESPACE);
  }
});
