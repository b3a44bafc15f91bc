/** Machines in network namespaces of their own join by WireGuard itself: `wg` and `wireguard-go` on their side, connect's gRPC client in between. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Context, Namespace, printed } from "../boot/netns.ts";
import type { Child } from "../peers/process.ts";
import { bringWireguard, withoutPeer } from "../peers/locate.ts";

const skip = process.getuid?.() === 0 ? withoutPeer("wireguard") : "needs root";
const here = (file: string): string => join(import.meta.dirname, file);

/** Where `wg` finds interfaces of wireguard-go is one directory for all namespaces of a host: here it is one of this test's own. */
const sockets = mkdtempSync(join(tmpdir(), "sidero-wg-"));
after(() => rmSync(sockets, { recursive: true }));
const apart = (program: string, ...args: string[]): [string, string[]] => [
  "sh",
  ["-c", 'mkdir -p /var/run/wireguard && mount --bind "$0" /var/run/wireguard && exec "$@"', sockets, program, ...args],
];

/** Ends in good order, also when the test fails: a wireguard-go that is left behind keeps its name. */
async function serve(context: Context, hub: Namespace, ...numbers: string[]): Promise<Child> {
  const children: Child[] = [];
  // Before the one that kills it, which `start` adds.
  context.after(() => children[0]?.stop());
  const server = hub.start(context, ...apart(process.execPath, here("serve.ts"), ...numbers));
  children.push(server);
  await printed(server, /"ready"/);
  return server;
}

interface Joined {
  readonly joined: string;
  readonly server: string;
  readonly publicKey: string;
}

function lines(child: Child): Record<string, unknown>[] {
  return child
    .log()
    .split("\n")
    .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as Record<string, unknown>] : []));
}

test(
  "machines join, speak through the tunnel, do not reach each other, and are put out with their bindings",
  { skip },
  async (context) => {
    bringWireguard();
    const hub = new Namespace(context);
    const [one, two] = [new Namespace(context), new Namespace(context)];
    hub.connect("eth1", ["10.0.1.1/24"], one, "eth0", ["10.0.1.2/24"]);
    hub.connect("eth2", ["10.0.2.1/24"], two, "eth0", ["10.0.2.2/24"]);
    const server = await serve(context, hub, "1", "2");
    const [first, second] = lines(server).find(({ ready }) => ready !== undefined)!["ready"] as { uuid: string; token: string }[];
    const machine = (space: Namespace, address: string, uuid: string, token: string, name: string): Child =>
      space.start(context, ...apart(process.execPath, here("machine.ts"), address, uuid, token, name));

    const stranger = machine(two, "10.0.2.1", first!.uuid, "", "wgx");
    await printed(stranger, /"failed".*no join token/);
    const thief = machine(two, "10.0.2.1", first!.uuid, second!.token, "wgx");
    await printed(thief, /"failed".*given to another machine/);

    const a = machine(one, "10.0.1.1", first!.uuid, first!.token, "wga");
    const b = machine(two, "10.0.2.1", second!.uuid, second!.token, "wgb");
    for (const child of [a, b]) await printed(child, /"joined"/);
    const [mine, other] = [a, b].map((child) => lines(child)[0] as unknown as Joined) as [Joined, Joined];
    const ping = (space: Namespace, address: string): Promise<string> => space.run("ping", ["-6", "-c", "2", "-W", "2", address]);
    assert.match(await ping(one, mine.server), /2 received/);
    assert.match(await ping(two, other.server), /2 received/);
    one.ip("-6", "route", "add", other.joined, "dev", "wga");
    two.ip("-6", "route", "add", mine.joined, "dev", "wgb");
    assert.match(await ping(one, other.joined), /100% packet loss|unreachable|Required key not available/);

    a.process.kill("SIGUSR2");
    await printed(a, /"published"/);
    await printed(server, new RegExp(`"${first!.uuid}":"True"`));
    assert.doesNotMatch(server.log(), new RegExp(`"${second!.uuid}":"True"`));
    assert.match(server.log(), /sequence boot: start/);

    a.process.kill("SIGHUP");
    await printed(a, /"logged"/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server.process.kill("SIGHUP");
    await printed(server, new RegExp(`of ${second!.uuid}[^]*has sent no log`));
    const told = lines(server).flatMap(({ log }) => (typeof log === "string" ? [log] : []));
    const [own, ...rest] = told.slice(0, 3);
    assert.equal(own, `of ${first!.uuid}`);
    assert.deepEqual(rest.toSorted(), ["2026-01-02T03:04:05Z kern  by TCP", "2026-01-02T03:04:05Z kern  by UDP"]);
    assert.match(await hub.run("ss", ["-lntuH"]), new RegExp(`\\[${mine.server}\\]:4001`));
    assert.doesNotMatch(await hub.run("ss", ["-lntuH"]), /(\*|0\.0\.0\.0|\[::\]):400[12]/, "by the tunnel alone");

    const known = await hub.run(...apart("wg", "show", "siderolink", "peers"));
    assert.ok(known.includes(mine.publicKey) && known.includes(other.publicKey));
    server.process.kill("SIGUSR2");
    const deadline = performance.now() + 10_000;
    while ((await hub.run(...apart("wg", "show", "siderolink", "peers"))).includes(mine.publicKey))
      assert.ok(performance.now() < deadline);
    assert.match(await ping(one, mine.server), /100% packet loss|unreachable|Required key not available/);
    assert.match(await ping(two, other.server), /2 received/, "nobody else is put out");
    await server.stop();
    assert.doesNotMatch(hub.ip("link", "show"), /siderolink/);
  },
);

test(
  "where no UDP is let through a machine joins by gRPC, and everything goes as it does otherwise",
  { skip },
  async (context) => {
    bringWireguard();
    const hub = new Namespace(context);
    const one = new Namespace(context);
    hub.connect("eth1", ["10.0.1.1/24"], one, "eth0", ["10.0.1.2/24"]);
    const rules =
      "add table inet wall; add chain inet wall first { type filter hook prerouting priority -300; }; add rule inet wall first iifname eth1 meta l4proto udp drop";
    assert.equal(await hub.run("nft", [rules]), "");
    const server = await serve(context, hub, "1");
    const [first] = lines(server).find(({ ready }) => ready !== undefined)!["ready"] as { uuid: string; token: string }[];
    const joined = (name: string, ...by: string[]): Child =>
      one.start(context, ...apart(process.execPath, here("machine.ts"), "10.0.1.1", first!.uuid, first!.token, name, ...by));

    const blocked = joined("wgu");
    await printed(blocked, /"joined"/);
    const { server: inside } = lines(blocked)[0] as unknown as Joined;
    assert.match(await one.run("ping", ["-6", "-c", "2", "-W", "2", inside]), /100% packet loss/, "the wall holds");
    await blocked.stop();

    const machine = joined("wgg", "grpc");
    await printed(machine, /"joined"/);
    assert.match(await one.run("ping", ["-6", "-c", "3", "-W", "5", inside]), /3 received/);
    assert.match(
      await one.run("ping", ["-6", "-c", "1", "-W", "5", "-M", "do", "-s", "1232", inside]),
      /1 received/,
      "whole packets",
    );
    machine.process.kill("SIGUSR2");
    await printed(machine, /"published"/);
    await printed(server, new RegExp(`"${first!.uuid}":"True"`));
    machine.process.kill("SIGHUP");
    await printed(machine, /"logged"/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server.process.kill("SIGHUP");
    await printed(server, /kern {2}by (TCP|UDP)[^]*kern {2}by (TCP|UDP)/);
    assert.match(await hub.run(...apart("wg", "show", "siderolink", "endpoints")), /\t127\.0\.0\.1:/);
  },
);
