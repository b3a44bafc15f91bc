/** The tunnel door against WireGuard's own tools: machines in network namespaces with wireguard-go; `wg`, `ip` and `nft` say what is set up. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bringWireguard, withoutPeer } from "../peers/locate.ts";
import { addressOf, freshKeys, Machine, Server, SERVER, succeeds } from "./rack.ts";

const skip = withoutPeer("wireguard");
before(() => {
  if (skip === false) bringWireguard();
});

test(
  "machines reach the server through the tunnel, and never one another, also where this host forwards",
  { skip },
  async (context) => {
    const server = new Server(context);
    const [one, other] = [new Machine(context, server.namespace, 1), new Machine(context, server.namespace, 2)];
    const { by, lacks } = await server.start(context, { open: { tcp: [4001, 4002], udp: [4001] } });
    assert.match(String(by), /^(kernel|wireguard-go)$/);
    assert.equal(lacks, undefined);
    server.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1");
    await server.ask({ peers: [one, other].map(({ keys, address }) => ({ publicKey: keys.publicKey, address })) });
    for (const machine of [one, other]) await machine.join(context, server.keys.publicKey);
    assert.ok(one.reaches(SERVER) && other.reaches(SERVER));
    assert.ok(one.reaches(SERVER, ["-M", "do", "-s", String(1280 - 48)]), "packets of 1280 bytes fit");
    assert.ok(!one.reaches(other.address), "not the other machine");
    // Without the rule, and without nftables: each alone is enough, and neither is for show.
    server.run("nft", "delete", "table", "inet", `sidero-${server.device}`);
    assert.ok(!one.reaches(other.address), "the rule of the routing table holds alone");
    server.run("ip", "-6", "rule", "delete", "pref", "1", "iif", server.device, "prohibit");
    assert.ok(one.reaches(other.address), "nothing else kept them apart");

    const { handshakes } = (await server.ask({})) as { handshakes: Record<string, number> };
    for (const { keys } of [one, other]) assert.ok(Math.abs(handshakes[keys.publicKey]! - Date.now()) < 60_000);
  },
);

test("peers come, move and go by differences, and whoever stays keeps its session", { skip }, async (context) => {
  const server = new Server(context);
  const machine = new Machine(context, server.namespace, 1);
  await server.start(context);
  const peers = Array.from({ length: 1200 }, (_, i) => ({ publicKey: freshKeys().publicKey, address: addressOf(i + 16) }));
  const own = { publicKey: machine.keys.publicKey, address: machine.address };
  await server.ask({ peers: [own, ...peers] });
  await machine.join(context, server.keys.publicKey);
  assert.ok(machine.reaches(SERVER));
  const allowed = (): Map<string, string> =>
    new Map(
      server
        .run("wg", "show", server.device, "allowed-ips")
        .trim()
        .split("\n")
        .map((line) => line.split("\t") as [string, string]),
    );
  assert.equal(allowed().size, 1201);
  // Two trade their addresses, one gets the address of a third, and all from the tenth on are gone.
  const [a, b, c] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
  const traded = [
    { publicKey: a.publicKey, address: b.address },
    { publicKey: b.publicKey, address: a.address },
    c,
    { publicKey: freshKeys().publicKey, address: c.address },
  ];
  const { handshakes } = (await server.ask({ peers: [own, ...traded, ...peers.slice(3, 10)] })) as {
    handshakes: Record<string, number>;
  };
  const after = allowed();
  assert.deepEqual(
    [after.get(a.publicKey), after.get(b.publicKey), after.get(c.publicKey), after.get(traded[3]!.publicKey), after.size],
    [`${b.address}/128`, `${a.address}/128`, undefined, `${c.address}/128`, 11],
  );
  assert.ok(handshakes[own.publicKey]! > 0, "its session goes on");
  await server.ask({ peers: [] });
  assert.ok(!machine.reaches(SERVER), "released");
});

test("a machine sends by its own address alone, and reaches the open ports alone", { skip }, async (context) => {
  const server = new Server(context);
  const [one, other] = [new Machine(context, server.namespace, 1), new Machine(context, server.namespace, 2)];
  await server.start(context, { open: { tcp: [4001], udp: [] } });
  await server.ask({ peers: [one, other].map(({ keys, address }) => ({ publicKey: keys.publicKey, address })) });
  await one.join(context, server.keys.publicKey);
  const listen = `const net = require("node:net"); for (const port of [4001, 4003]) net.createServer((s) => s.end()).listen(port, "::")`;
  server.namespace.start(context, process.execPath, ["-e", listen]);
  while (!/:4003/.test(server.run("ss", "-ltn"))) await new Promise((resolve) => setTimeout(resolve, 20));
  const connects = (port: number, from: string): boolean =>
    succeeds(one.namespace, process.execPath, [
      "-e",
      `require("node:net").connect({ port: ${port}, host: "${SERVER}", localAddress: "${from}", timeout: 1500 })
         .on("connect", () => process.exit(0)).on("timeout", () => process.exit(1)).on("error", () => process.exit(1))`,
    ]);
  assert.ok(connects(4001, one.address));
  assert.ok(!connects(4003, one.address));
  one.namespace.ip("addr", "add", `${other.address}/128`, "dev", one.device, "nodad");
  assert.ok(!connects(4001, other.address), "the other's address is not its own");
});

test("nothing is left when it closes, and what a process that died has left is replaced", { skip }, async (context) => {
  const server = new Server(context);
  const machine = new Machine(context, server.namespace, 1);
  const left = (): string[] => [
    server.run("ip", "-br", "link", "show", "type", "tun"),
    server.run("ip", "-br", "link", "show", "type", "wireguard"),
    server.run("nft", "list", "ruleset"),
    server.run("ip", "-6", "rule", "show", "iif", server.device),
  ];
  const open = { tcp: [4001], udp: [] };
  await server.start(context, { open });
  assert.ok(left().some((text) => text.includes(server.device)));
  await server.kill();
  await server.start(context, { open });
  await server.ask({ peers: [{ publicKey: machine.keys.publicKey, address: machine.address }] });
  await machine.join(context, server.keys.publicKey);
  assert.ok(machine.reaches(SERVER));
  assert.equal(server.run("ip", "-6", "rule", "show", "iif", server.device).trim().split("\n").length, 1);
  await server.stop();
  assert.deepEqual(
    left().map((text) => text.trim()),
    ["", "", "", ""],
  );
});

test("without rights, and without the programs, it says what is missing", { skip }, async (context) => {
  const server = new Server(context);
  const first = await server.start(context, {}, [
    "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--reuid=65534",
    "--clear-groups",
  ]);
  const { code, message } = first["refused"] as { code: string; message: string };
  assert.equal(code, "io.no-tunnel");
  assert.match(message, /no WireGuard in the kernel \(ip link: .*\) and none in wireguard-go \(/);
  const bare = await server.start(context, {}, ["env", "PATH=/nowhere"]);
  assert.equal((bare["refused"] as { code: string }).code, "io.no-tunnel");
  const wrong = await server.start(context, { name: 'a" drop' });
  assert.match((wrong["refused"] as { message: string }).message, /cannot be the name of an interface/);
});
