/** Machines in network namespaces of their own join by WireGuard itself: `wg` and `wireguard-go` on their side, connect's gRPC client in between. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Namespace, printed } from "../boot/netns.ts";
import type { Child } from "../peers/process.ts";
import { bringWireguard, withoutPeer } from "../peers/locate.ts";

const skip = process.getuid?.() === 0 ? withoutPeer("wireguard") : "needs root";
const here = (file: string): string => join(import.meta.dirname, file);

interface Joined {
  readonly joined: string;
  readonly server: string;
  readonly publicKey: string;
}

/** Interfaces of wireguard-go have sockets by their names, in one folder for the whole host: another test may have one of the same name. */
const OWN_SOCKETS = 'mkdir -p /var/run/wireguard && mount -t tmpfs none /var/run/wireguard && exec "$@"';

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
    const server = hub.start(context, "sh", ["-c", OWN_SOCKETS, "sh", process.execPath, here("serve.ts"), "1", "2"]);
    await printed(server, /"ready"/);
    const [first, second] = lines(server).find(({ ready }) => ready !== undefined)!["ready"] as { uuid: string; token: string }[];
    const machine = (space: Namespace, address: string, uuid: string, token: string, name: string): Child =>
      space.start(context, process.execPath, [here("machine.ts"), address, uuid, token, name]);

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

    const peersOf = (): Promise<string> =>
      hub.run("nsenter", ["-t", String(server.process.pid), "-m", "wg", "show", "siderolink", "peers"]);

    const known = await peersOf();
    assert.ok(known.includes(mine.publicKey) && known.includes(other.publicKey));
    server.process.kill("SIGUSR2");
    const deadline = performance.now() + 10_000;
    while ((await peersOf()).includes(mine.publicKey)) assert.ok(performance.now() < deadline);
    assert.match(await ping(one, mine.server), /100% packet loss|unreachable|Required key not available/);
    assert.match(await ping(two, other.server), /2 received/, "nobody else is put out");
    await server.stop();
    assert.doesNotMatch(hub.ip("link", "show"), /siderolink/);
  },
);
