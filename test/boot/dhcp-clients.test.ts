/** Our DHCP in network namespaces, with clients, servers and relays that we did not write. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Sighting } from "#decide/sighting.ts";
import { fromHex, toHex } from "#std/bytes.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { decode as decode6 } from "#wire/dhcp/v6/decode.ts";
import type { Message } from "#wire/dhcp/v6/packet.ts";
import { bringDhcpPeers, withoutPeer } from "../peers/locate.ts";
import type { Child } from "../peers/process.ts";
import vectors from "../vectors/dhcp/captures.json" with { type: "json" };
import { captured } from "./dhcp-client.ts";
import type { HostOptions } from "./dhcp-host.ts";
import { Namespace, printed } from "./netns.ts";
import { folder, Udhcpc } from "./udhcpc.ts";

const skip = withoutPeer("dhcp-peers");
const [HOST, ASK] = ["dhcp-host.ts", "dhcp-ask.ts"].map((name) => fileURLToPath(new URL(name, import.meta.url)));

const SUBNET = {
  subnet: "10.0.0.0/24",
  mode: "server",
  pools: ["10.0.0.50-10.0.0.99"],
  routers: ["10.0.0.1"],
  dns: ["10.0.0.2"],
  domain: "lab.example.org",
  leaseTime: "10m",
};

async function serve(context: TestContext, space: Namespace, options: HostOptions): Promise<Child> {
  const host = space.start(context, process.execPath, [HOST!, JSON.stringify(options)]);
  await printed(host, /"ready"/);
  return host;
}

function sightings(host: Child): Sighting[] {
  return host
    .log()
    .split("\n")
    .filter((line) => line.startsWith('{"of"'))
    .map((line) => JSON.parse(line) as Sighting);
}

/** A pair of namespaces: a server at 10.0.0.1 on `s0`, and a client on `c0`. */
function pair(context: TestContext): { server: Namespace; client: Namespace } {
  const [server, client] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24"], client, "c0");
  return { server, client };
}

/** The replies to messages sent by firmware on `device`, within a second. */
async function ask(
  space: Namespace,
  device: string,
  messages: readonly Uint8Array[],
  to = "255.255.255.255",
  port = 67,
): Promise<{ from: string; bytes: Uint8Array }[]> {
  const output = await space.run(process.execPath, [ASK!, device, to, String(port), ...messages.map((bytes) => toHex(bytes))]);
  return output.split("\n").flatMap((line) => {
    const match = /^([0-9a-f.:]+) ([0-9a-f]+)$/.exec(line);
    return match === null ? [] : [{ from: match[1]!, bytes: fromHex(match[2]!)! }];
  });
}

before(() => {
  if (skip === false) bringDhcpPeers();
});

test("busybox udhcpc: a lease, kept over a restart of ours, renewed and released", { skip }, async (context) => {
  const { server, client } = pair(context);
  const options = { subnets: { subnets: [SUBNET] }, journal: folder(context) };
  const first = await serve(context, server, options);
  const udhcpc = new Udhcpc(context, client, "c0");
  assert.equal(await udhcpc.once(), "bound 10.0.0.50 255.255.255.0 10.0.0.1 10.0.0.2 lab.example.org 600 10.0.0.1  ");
  await first.stop();

  const second = await serve(context, server, options);
  const other = new Namespace(context);
  server.connect("s1", ["10.0.0.3/24"], other, "c1");
  assert.match(await udhcpc.once(), /^bound 10\.0\.0\.50 /);

  const running = udhcpc.start(context);
  await udhcpc.until(3);
  running.process.kill("SIGUSR1");
  assert.match((await udhcpc.until(4))[3]!, /^renew 10\.0\.0\.50 255\.255\.255\.0 .* 600 /);
  const acks = sightings(second).filter(({ what }) => what === "dhcp.ack");
  assert.deepEqual(
    acks.map(({ of }) => of.address),
    ["10.0.0.50", "10.0.0.50", "10.0.0.50"],
  );
  running.process.kill("SIGUSR2");
  await printed(second, /it released 10\.0\.0\.50/);
});

test("busybox udhcpc: a wish of another network is refused, and it begins anew", { skip }, async (context) => {
  const { server, client } = pair(context);
  await serve(context, server, {
    subnets: { subnets: [{ ...SUBNET, reservations: [{ mac: "52:54:00:00:00:01", address: "10.0.0.9", hostname: "rack-1" }] }] },
  });
  client.ip("link", "set", "c0", "address", "52:54:00:00:00:01");
  const udhcpc = new Udhcpc(context, client, "c0");
  assert.match(await udhcpc.once("-r", "192.168.1.7"), /^bound 10\.0\.0\.9 /);
});

test("ISC dhclient: a lease by DHCP, released", { skip }, async (context) => {
  const { server, client } = pair(context);
  const host = await serve(context, server, { subnets: { subnets: [SUBNET] } });
  const leases = join(folder(context), "leases");
  writeFileSync(leases, "");
  const args = ["-4", "-v", "-sf", "/bin/true", "-lf", leases, "-pf", `${leases}.pid`];
  const output = await client.run("dhclient", [...args, "-1", "c0"]);
  assert.match(output, /DHCPACK of 10\.0\.0\.50 from 10\.0\.0\.1/);
  const lease = readFileSync(leases, "utf8");
  for (const line of [
    "fixed-address 10.0.0.50",
    "option subnet-mask 255.255.255.0",
    "option routers 10.0.0.1",
    "option dhcp-lease-time 600",
    'option domain-name "lab.example.org"',
    "option broadcast-address 10.0.0.255",
  ]) {
    assert.ok(lease.includes(line), `${line} in ${lease}`);
  }
  client.ip("addr", "add", "10.0.0.50/24", "dev", "c0");
  await client.run("dhclient", [...args, "-r", "c0"]);
  await printed(host, /it released 10\.0\.0\.50/);
});

test("ISC dhclient: an address, and options alone, by DHCPv6", { skip }, async (context) => {
  const [server, client] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["fd77::1/64"], client, "c0", ["fe80::77/64"]);
  const subnets = {
    subnets: [
      {
        subnet: "fd77::/64",
        mode: "server",
        pools: ["fd77::50-fd77::99"],
        dns: ["fd77::2"],
        search: ["lab.example.org"],
        leaseTime: "10m",
      },
    ],
  };
  const host = await serve(context, server, { subnets, journal: folder(context) });
  const leases = join(folder(context), "leases");
  writeFileSync(leases, "");
  const args = ["-6", "-v", "-sf", "/bin/true", "-lf", leases, "-pf", `${leases}.pid`];
  const output = await client.run("dhclient", [...args, "-1", "c0"]);
  const lease = readFileSync(leases, "utf8");
  assert.match(lease, /iaaddr fd77::50 \{[^}]*max-life 600;/, output + host.log());
  assert.match(lease, /option dhcp6\.name-servers fd77::2;/);
  assert.match(lease, /option dhcp6\.domain-search "lab\.example\.org\."/);
  assert.match(await client.run("dhclient", [...args, "-1", "c0"]), /RCV: {2}\| X-- Reply|Reply message on c0/);
  assert.match(
    await client.run("dhclient", [
      "-6",
      "-S",
      "-v",
      "-1",
      "-sf",
      "/bin/true",
      "-lf",
      `${leases}.s`,
      "-pf",
      `${leases}.pid2`,
      "c0",
    ]),
    /Reply message on c0/,
  );
  assert.doesNotMatch(host.log(), /"level":"(warn|error)"/);
});

test("rdisc6: we answer router solicitations, as one who is no router", { skip }, async (context) => {
  const [server, client] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24", "fd77::1/64"], client, "c0");
  const host = await serve(context, server, { subnets: { subnets: [SUBNET] } });
  await printed(host, /router solicitations/);
  const output = await client.run("rdisc6", ["-1", "-r", "3", "c0"]);
  assert.match(output, /Router lifetime\s*:\s*0 \(0x00000000\) seconds/);
  assert.match(output, /Stateful address conf\.\s*:\s*No/);
});

test("firmware beside dnsmasq: the address from it, what to boot from us, and both are seen", { skip }, async (context) => {
  const [ours, theirs, client] = [new Namespace(context), new Namespace(context), new Namespace(context)];
  // A switch in a namespace of its own, as in a rack.
  const rack = new Namespace(context);
  for (const [i, [space, device, address]] of (
    [
      [ours, "s0", "10.0.0.1/24"],
      [theirs, "t0", "10.0.0.9/24"],
      [client, "c0", ""],
    ] as const
  ).entries()) {
    rack.connect(`p${i}`, [], space, device, address === "" ? [] : [address]);
  }
  rack.ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0");
  for (const i of [0, 1, 2]) rack.ip("link", "set", `p${i}`, "master", "br0");
  rack.ip("link", "set", "br0", "up");

  const directory = folder(context);
  const dnsmasq = theirs.start(context, "dnsmasq", [
    "--keep-in-foreground",
    "--log-facility=-",
    "--port=0",
    "--conf-file=/dev/null",
    "--interface=t0",
    "--dhcp-range=10.0.0.100,10.0.0.120,1h",
    "--no-ping",
    `--dhcp-leasefile=${directory}/leases`,
    "--log-dhcp",
    "--user=root",
    "--dhcp-boot=theirs.0,rival,10.0.0.9",
  ]);
  await printed(dnsmasq, /IP range/);
  const host = await serve(context, ours, { mode: "proxy" });

  const discover = { ...captured("ovmf-pxe-discover"), flags: 0x8000 };
  const offers = (await ask(client, "c0", [encode(discover, 1500)])).map(({ bytes }) => decode(bytes));
  const from = (server: string): Packet => offers.find(({ options }) => options.serverId === server)!;
  assert.deepEqual([from("10.0.0.1").yiaddr, from("10.0.0.1").file, from("10.0.0.1").siaddr], ["0.0.0.0", "snp.efi", "10.0.0.1"]);
  const address = from("10.0.0.9").yiaddr;
  assert.match(address, /^10\.0\.0\.1[0-2]\d$/);

  const selecting = captured("ovmf-pxe-request");
  const chosen = {
    ...selecting,
    flags: 0x8000,
    options: { ...selecting.options, serverId: "10.0.0.9", requestedAddress: address },
  };
  await ask(client, "c0", [encode(chosen, 1500)]);
  client.ip("addr", "add", `${address}/24`, "dev", "c0");
  const [ack] = await ask(client, "c0", [encode({ ...chosen, ciaddr: address }, 1500)], "10.0.0.1", 4011);
  assert.deepEqual([ack!.from, decode(ack!.bytes).options.messageType, decode(ack!.bytes).file], ["10.0.0.1", "ack", "snp.efi"]);

  const seen = sightings(host).map(({ what, text }) => `${what}: ${text}`);
  for (const expected of [
    "dhcp.offer: offered snp.efi by TFTP from 10.0.0.1",
    `dhcp.other-server: 10.0.0.9 offered ${address}, to boot theirs.0 from 10.0.0.9`,
    `dhcp.other-server: the machine took ${address} from 10.0.0.9`,
    `dhcp.other-server: 10.0.0.9 gave ${address}, to boot theirs.0 from 10.0.0.9`,
  ]) {
    assert.ok(seen.includes(expected), `${expected} in ${seen.join("\n")}`);
  }
  assert.match(host.log(), /on s0 10\.0\.0\.9 tells machines what to boot, too \(theirs\.0\)/);
  // dnsmasq says when another server's choice goes past it: ours must never look like one.
  assert.doesNotMatch(dnsmasq.log(), /DHCPNAK|not using configured/);
});

test("dnsmasq as relay: an address of the network behind it, renewed without it", { skip }, async (context) => {
  const [server, relay, client] = [new Namespace(context), new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24"], relay, "r0", ["10.0.0.254/24"]);
  relay.connect("r1", ["10.9.0.254/24"], client, "c0");
  server.ip("route", "add", "10.9.0.0/24", "via", "10.0.0.254");
  await relay.run("sysctl", ["-qw", "net.ipv4.ip_forward=1"]);
  const dnsmasq = relay.start(context, "dnsmasq", [
    "--keep-in-foreground",
    "--log-facility=-",
    "--port=0",
    "--conf-file=/dev/null",
    "--dhcp-relay=10.9.0.254,10.0.0.1",
    "--user=root",
    "--log-dhcp",
  ]);
  await printed(dnsmasq, /DHCP relay/);
  const subnets = {
    subnets: [
      SUBNET,
      { subnet: "10.9.0.0/24", mode: "server", pools: ["10.9.0.50-10.9.0.60"], routers: ["10.9.0.254"], leaseTime: "10m" },
    ],
  };
  const host = await serve(context, server, { subnets });
  const udhcpc = new Udhcpc(context, client, "c0");
  const running = udhcpc.start(context);
  assert.match((await udhcpc.until(1))[0]!, /^bound 10\.9\.0\.50 255\.255\.255\.0 10\.9\.0\.254 .* 10\.0\.0\.1 /);
  running.process.kill("SIGUSR1");
  assert.match((await udhcpc.until(2))[1]!, /^renew 10\.9\.0\.50 /);
  assert.match(host.log(), /asked for an address, through the relay 10\.9\.0\.254/);
});

test("two networks of one process: each request is answered by the interface that it came in by", { skip }, async (context) => {
  const [server, left, right] = [new Namespace(context), new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24"], left, "c0");
  server.connect("s1", ["10.1.0.1/24"], right, "c1");
  await serve(context, server, {
    subnets: {
      subnets: [SUBNET, { ...SUBNET, subnet: "10.1.0.0/24", pools: ["10.1.0.50-10.1.0.99"], routers: ["10.1.0.1"], dns: [] }],
    },
  });
  const clients = [new Udhcpc(context, left, "c0"), new Udhcpc(context, right, "c1")];
  const bound = await Promise.all(clients.map((each) => each.once()));
  assert.match(bound[0]!, /^bound 10\.0\.0\.50 .* 10\.0\.0\.1 /);
  assert.match(bound[1]!, /^bound 10\.1\.0\.50 .* 10\.1\.0\.1 /);
});

test("captured firmware is answered on DHCP and on DHCPv6, over real sockets", { skip }, async (context) => {
  const [server, client] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24", "fd77::1/64"], client, "c0", ["fe80::77/64"]);
  const subnets = { subnets: [SUBNET, { subnet: "fd77::/64", mode: "server", pools: ["fd77::50-fd77::99"] }] };
  await serve(context, server, { subnets });
  const names = [
    "ipxe-rom-bios-discover",
    "ovmf-pxe-discover",
    "ovmf-http-discover",
    "ovmf-ia32-discover",
    "aavmf-discover",
    "u-boot-discover",
  ];
  const replies = (
    await ask(
      client,
      "c0",
      names.map((name) => encode({ ...captured(name), flags: 0x8000 }, 1500)),
    )
  ).map(({ bytes }) => decode(bytes));
  assert.deepEqual(replies.map(({ file }) => file).toSorted(), [
    "http://10.0.0.1:8081/boot.ipxe",
    "http://10.0.0.1:8081/tftp/snp.efi",
    "refused/no-boot-program-for-x86-UEFI",
    "snp-arm64.efi",
    "snp-arm64.efi",
    "snp.efi",
  ]);
  assert.ok(replies.every(({ yiaddr }) => yiaddr.startsWith("10.0.0.")));
  const messages = vectors.captures6.map(({ hex }) => fromHex(hex)!);
  const replies6 = (await ask(client, "c0", messages, "ff02::1:2", 547)).map(({ bytes }) => decode6(bytes) as Message);
  const urls = replies6.map(({ options }) => options.bootFileUrl);
  assert.ok(urls.includes("tftp://[fd77::1]/snp.efi"), urls.join(" "));
  assert.ok(replies6.every(({ options }) => options.iaNa?.[0]?.options.addresses?.[0]?.address.startsWith("fd77::")));
});

test("a port that dnsmasq has is told, and the others are had", { skip }, async (context) => {
  const { server } = pair(context);
  const dnsmasq = server.start(context, "dnsmasq", [
    "--keep-in-foreground",
    "--log-facility=-",
    "--port=0",
    "--conf-file=/dev/null",
    "--dhcp-range=10.0.0.100,10.0.0.120,1h",
    `--dhcp-leasefile=${folder(context)}/leases`,
    "--user=root",
  ]);
  await printed(dnsmasq, /IP range/);
  const host = await serve(context, server, { mode: "proxy" });
  assert.match(host.log(), /cannot open UDP port 67 on s0: another program has this port: stop the other DHCP server/);
  assert.match(host.log(), /"open":\["PXE","other servers"/);
});
